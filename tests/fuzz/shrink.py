"""Makes a failing program as small as it gets while it still fails in the same way.

    python -m tests.fuzz.shrink --module fuseau --mode default --seed 1 --program 123
    python -m tests.fuzz.shrink --module fuseau --file failing.py

Prints the program as a test for test_regressions.py and as a script.
"""

import argparse
import ast
import copy
import pathlib
import re
import textwrap
import time

from .data import data, literal
from .execute import Options
from .generate import generate
from .program import compiled, script

SECONDS = 120.0
MAX_LITERAL = 16


def measure(statements):
    """What a smaller program has less of: statements, then text, then large constants."""
    text = "\n".join(statements)
    return len(statements), len(text), sum(min(int(n), 10**6) for n in re.findall(r"\b\d+\b", text))


def smaller_constants(node):
    value = node.value
    if isinstance(value, bool):
        return [ast.Constant(False)] if value else []
    if isinstance(value, int) and value > 0:
        return [ast.Constant(n) for n in sorted({0, 1, 2, value // 2, value - 1}) if n < value]
    if isinstance(value, float) and value not in (0.0, 1.0):
        return [ast.Constant(0.0), ast.Constant(1.0)]
    return []


def is_module(node):
    return isinstance(node, ast.Name) and node.id == "np"


def parts(node):
    """Simpler expressions that may stand for an expression."""
    if isinstance(node, ast.Constant):
        return smaller_constants(node)
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Subscript):
        return [node.value]
    if isinstance(node, ast.Attribute):
        return [] if is_module(node.value) else [node.value]
    if isinstance(node, ast.Call):
        method = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        fewer = [
            ast.Call(node.func, node.args, [k for k in node.keywords if k is not keyword])
            for keyword in node.keywords
        ]
        if len(node.args) > 1:
            fewer.append(ast.Call(node.func, node.args[:-1], node.keywords))
        return [m for m in method if not is_module(m)] + node.args + fewer
    if isinstance(node, (ast.Tuple, ast.List)):
        return [
            type(node)(node.elts[:i] + node.elts[i + 1 :], node.ctx) for i in range(len(node.elts))
        ]
    if isinstance(node, ast.Slice):
        keep = ast.Slice(node.lower, node.upper, node.step)
        out = []
        for field in ("lower", "upper", "step"):
            if getattr(node, field) is not None:
                changed = copy.copy(keep)
                setattr(changed, field, None)
                out.append(changed)
        return out
    return []


class Replace(ast.NodeTransformer):
    """Replaces the n-th node that has simpler parts by one of them."""

    def __init__(self, target, part):
        self.target, self.part, self.seen = target, part, -1

    def visit(self, node):
        choices = parts(node)
        if choices:
            self.seen += 1
            if self.seen == self.target:
                return choices[self.part]
        return self.generic_visit(node)


def simpler(statement):
    """Simpler texts of one statement, the boldest first."""
    if statement.startswith(("for ", "with ")):
        # The body alone, as written or as ast writes it.
        yield re.sub(r"^.*?:(\n    | )(?=\S)", "", statement, count=1)
    if "; " in statement:
        yield from statement.split("; ")
    tree = ast.parse(statement)
    count = 0
    nodes = [(n, parts(n)) for n in preorder(tree)]
    for _, choices in nodes:
        if not choices:
            continue
        for part in range(len(choices)):
            changed = Replace(count, part).visit(copy.deepcopy(tree))
            try:
                yield ast.unparse(ast.fix_missing_locations(changed))
            except Exception:  # a part that cannot stand there, such as a slice outside brackets
                continue
        count += 1


def preorder(node):
    yield node
    for child in ast.iter_child_nodes(node):
        yield from preorder(child)


def with_literal(statement):
    """The statement with small `data(...)` calls inside np.array written out, or None."""

    def written(match):
        values = data(match[1], ast.literal_eval(match[2]), int(match[3]), bool(match[4]))
        return (
            f"({literal(values)}, dtype={match[1]!r})" if values.size <= MAX_LITERAL else match[0]
        )

    pattern = r"(?<=array)\(data\('(\w+)', (\([^)]*\)), (\d+)(, True)?\)\)"
    text = re.sub(pattern, written, statement)
    return text if text != statement else None


def renumbered(statements):
    """The program with its names counted from a0."""
    names = dict.fromkeys(re.findall(r"\ba\d+\b", "\n".join(statements)))
    table = {name: f"a{k}" for k, name in enumerate(names)}
    return [re.sub(r"\ba\d+\b", lambda m: table[m[0]], s) for s in statements]


def inlined(statement, name, text):
    """The statement with an expression in place of a name."""
    if not text.isalnum():
        text = f"({text})"
    return re.sub(rf"\b{name}\b", lambda _: text, statement)


FOREIGN = re.compile(r"\w+ = data\(")
"""A name for a real NumPy array: its views belong to NumPy, so such a program proves nothing."""


def is_python(statements):
    """Whether a program can be compiled: a name's text need not stand wherever the name does."""
    try:
        for statement in statements:
            compiled(statement)
    except SyntaxError:
        return False
    return True


class Shrinker:
    def __init__(self, statements, failure, run):
        self.statements, self.failure, self.run = list(statements), failure, run
        self.end = time.monotonic() + SECONDS
        self.tried = set()

    def accept(self, candidate, must_shrink=True):
        """Takes the candidate when it is smaller and fails in the same way."""
        key = tuple(candidate)
        if key in self.tried or time.monotonic() > self.end or not candidate:
            return False
        if must_shrink and measure(candidate) >= measure(self.statements):
            return False
        if any(FOREIGN.match(s) for s in candidate) or not is_python(candidate):
            return False
        self.tried.add(key)
        failure = self.run(candidate)
        if not self.failure.is_like(failure):
            return False
        self.statements, self.failure = candidate, failure
        return True

    def drop_statements(self):
        size = max(1, len(self.statements) // 2)
        while size:
            start = 0
            while start < len(self.statements):
                if not self.accept(self.statements[:start] + self.statements[start + size :]):
                    start += size
            size //= 2

    def simplify_statements(self):
        for line in range(len(self.statements)):
            again = True
            while again:
                again = any(
                    self.accept(self.replaced(line, text))
                    for text in simpler(self.statements[line])
                )

    def drop_names(self):
        """Takes out `a2 = a1[1:]` and says (a1[1:]) where the program said a2."""
        line = 0
        while line < len(self.statements):
            names = re.fullmatch(r"(a\d+) = ([^;]+)", self.statements[line])
            rest = self.statements[:line] + self.statements[line + 1 :]
            if not names or not self.accept([inlined(s, names[1], names[2]) for s in rest]):
                line += 1

    def replaced(self, line, text):
        return self.statements[:line] + [text] + self.statements[line + 1 :]

    def write_literals(self):
        for line, statement in enumerate(self.statements):
            text = with_literal(statement)
            if text is not None:
                self.accept(self.replaced(line, text), must_shrink=False)

    def to_the_end(self, step):
        before = None
        while before != self.statements:
            before = self.statements
            step()

    def shrink(self):
        def both():
            self.drop_statements()
            self.simplify_statements()
            self.drop_names()

        self.to_the_end(both)
        self.write_literals()
        self.to_the_end(self.simplify_statements)
        self.accept(renumbered(self.statements), must_shrink=False)
        return self.statements, self.failure


def shrink(statements, failure, run):
    """The smallest program found that fails as `failure` says, and its own failure.

    `run` takes a program and returns its Failure or None. A program that `run` does not see fail is
    returned as it is: it needs the state left by earlier programs, or casts values that no integer
    type holds.
    """
    again = run(list(statements))
    if not failure.is_like(again):
        return list(statements), failure._replace(
            message=f"(does not fail alone)\n{failure.message}"
        )
    return Shrinker(statements, again, run).shrink()


def as_test(statements, name):
    """The program as a function for test_regressions.py."""
    body = textwrap.indent("\n".join(statements), " " * 8)
    name = re.sub(r"\W", "_", name)
    return f'def test_{name}():\n    assert_agrees(\n        """\n{body}\n        """\n    )\n'


def read_script(path):
    """The statements of a script that `program.script` wrote."""
    lines = pathlib.Path(path).read_text().splitlines()
    return [s for s in lines if s and not s.startswith(("import ", "from ", "#"))]


def main():
    # Imported here because worker needs nothing of this file, and a spawned child imports this file again.
    from .worker import MODES, Worker

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--mode", choices=list(MODES), default="default")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--program", type=int, default=0)
    parser.add_argument("--skip", default="", help="the same rules as in the run that failed")
    parser.add_argument("--file", help="a script instead of a seed and a number")
    parser.add_argument("--ulp", type=int)
    options = parser.parse_args()
    skip = tuple(options.skip.split(",")) if options.skip else ()
    statements = (
        read_script(options.file)
        if options.file
        else generate(f"{options.seed}:{options.program}", skip)
    )
    worker = Worker(options.module, options.mode, Options(ulp=options.ulp))
    try:
        failure = worker.run_program(statements)
        if failure is None:
            print("the program passes")
            return
        small, last = shrink(statements, failure, worker.run_program)
    finally:
        worker.stop()
    print("\n".join(f"# {line}" for line in f"{last.kind}: {last.message}".splitlines()))
    print(as_test(small, f"seed_{options.seed}_{options.program}_{options.mode}"))
    print(f"# as a script:\n{script(small, options.module)}", end="")


if __name__ == "__main__":
    main()
