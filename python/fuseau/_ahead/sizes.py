"""From plans for some sizes to one for all sizes.

A plan is a row of words. For most programs each word is a polynomial in the sizes, with powers up
to 2 of each, as long as the plan's structure stays the same. It is found from plans of a few sizes
and then held against many others, from empty arrays to large ones, equal sizes among them. Where
the plan for other sizes looks different, since something else pays there, the one that was found
is run: it is right if all bits are those of the program. Small sizes for which it is not get plans
of their own.
"""

import dataclasses
import fractions
import itertools
import math
import random

_POWERS = 3  # 0, 1, 2
# Sizes about which plans are made: what pays for them pays for larger ones.
_USUAL = 500
_LOWEST = (0, 1, 2, 3, 4, 5, 6, 8)
# Elements of the largest arrays that are tried.
_LARGEST = 2**22
_FEW = (7, 8, 9, 16, 17, 129, 300)
# At most so many of their combinations.
_TRIED = 200
_MANY = (9, 10, 15, 16, 17, 33, 64, 100, 129, 300, 1000, 1023, 4096, 10_007, 100_003)


class NotUniform(Exception):
    """Plans of different sizes differ in more than numbers. `sizes` is an example."""

    def __init__(self, sizes):
        super().__init__(f"the plan for {show(sizes)} differs from that of other sizes")
        self.sizes = sizes


def show(sizes):
    """Sizes for people."""
    return ", ".join(f"{letter} = {size}" for letter, size in sizes.items())


@dataclasses.dataclass
class Template:
    """Words as polynomials; right for sizes within `ranges` (letter to lowest and highest)."""

    ranges: dict
    sample: dict
    constants: list
    terms: list  # word, coefficient, powers

    def words(self, sizes):
        words = list(self.constants)
        for word, coefficient, powers in self.terms:
            value = coefficient
            for letter, power in zip(self.ranges, powers, strict=True):
                value *= sizes[letter] ** power
            words[word] += value
        return words


class Fitter:
    """Finds templates.

    `plan` gives the words for sizes, given as a dict of letters; None for sizes that the program
    refuses. For those there is no template. `is_right` runs words for sizes and tells whether the
    results are the program's.
    """

    HIGHEST = 2**63 - 1

    def __init__(self, plan, letters, is_right):
        self._plan, self._letters, self._is_right = plan, letters, is_right
        self._known = {}

    def words(self, sizes):
        key = tuple(sizes[letter] for letter in self._letters)
        if key not in self._known:
            self._known[key] = self._plan(sizes)
        return self._known[key]

    def cover(self, box=None):
        """Templates for all sizes: each letter of `box` has a lowest and a highest size."""
        box = box or dict.fromkeys(self._letters, (0, self.HIGHEST))
        free = [letter for letter, (low, high) in box.items() if low < high]
        if not free:
            sizes = {letter: low for letter, (low, _) in box.items()}
            words = self.words(sizes)
            return [] if words is None else [Template(box, sizes, words, [])]
        problem = None
        for lowest in _LOWEST:
            lows = {letter: max(box[letter][0], lowest) for letter in free}
            ranges = {x: (lows.get(x, low), high) for x, (low, high) in box.items()}
            try:
                template = self._fit(ranges, free)
            except NotUniform as error:
                problem = error
                continue
            found = [] if template is None else [template]
            for place, letter in enumerate(free):
                for size in range(box[letter][0], lows[letter]):
                    rest = {**ranges, letter: (size, size)}
                    rest.update({later: box[later] for later in free[place + 1 :]})
                    found += self.cover(rest)
            return found
        raise problem

    def _fit(self, ranges, free):
        fixed = {letter: low for letter, (low, high) in ranges.items() if low == high}
        # Different sizes for each letter, so that they are not mistaken for each other.
        values = {
            letter: [max(ranges[letter][0], _USUAL) + _POWERS * i + place for i in range(_POWERS)]
            for place, letter in enumerate(free)
        }
        points = [
            {**fixed, **dict(zip(free, sizes, strict=True))}
            for sizes in itertools.product(*values.values())
        ]
        rows = [self.words(point) for point in points]
        if all(row is None for row in rows):
            for point in self._checks(ranges, free, fixed):
                if self.words(point) is not None:
                    raise NotUniform(point)
            return None
        for point, row in zip(points, rows, strict=True):
            if row is None or len(row) != len(rows[-1] or ()):
                raise NotUniform(point)
        constants, terms = list(rows[0]), []
        inverses = [_inverse(values[letter]) for letter in free]
        for word, column in enumerate(zip(*rows, strict=True)):
            if len(set(column)) == 1:
                continue
            constants[word] = 0
            for powers, coefficient in _coefficients(column, inverses):
                if coefficient.denominator != 1 or abs(coefficient) >= 2**63:
                    raise NotUniform(points[-1])
                by_letter = dict(zip(free, powers, strict=True))
                everywhere = [by_letter.get(letter, 0) for letter in ranges]
                terms.append((word, int(coefficient), everywhere))
        template = Template(ranges, points[-1], constants, terms)
        for point in self._checks(ranges, free, fixed):
            words = template.words(point)
            if self.words(point) is None:
                raise NotUniform(point)
            if self.words(point) != words and not self._is_right(point, words):
                raise NotUniform(point)
        return template

    def _checks(self, ranges, free, fixed):
        """Sizes that templates are held against: small ones of all kinds, and many large ones.

        Small ones beside larger ones matter most: a dimension of one element is none, and NumPy
        then adds in another order.
        """
        lows = [ranges[letter][0] for letter in free]
        chance = random.Random(1)
        few = [sorted({*range(low, low + 4), *(n for n in _FEW if n >= low)}) for low in lows]
        small = list(itertools.product(*few))
        if len(small) > _TRIED:
            small = chance.sample(small, _TRIED)
        equal = [[max(*lows, n)] * len(free) for n in (5, 29, 300, 1000)]
        large = [[max(chance.choice(_MANY), low) for low in lows] for _ in range(40)]
        for sizes in (*small, *equal, *large):
            if math.prod(sizes) <= _LARGEST:
                yield {**fixed, **dict(zip(free, sizes, strict=True))}


def _inverse(values):
    """The inverse of the matrix of powers of these values."""
    size = len(values)
    rows = [
        [fractions.Fraction(v) ** p for p in range(size)]
        + [fractions.Fraction(int(i == j)) for j in range(size)]
        for i, v in enumerate(values)
    ]
    for i in range(size):
        pivot = next(r for r in range(i, size) if rows[r][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for r in range(size):
            if r != i and rows[r][i] != 0:
                factor = rows[r][i]
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[i], strict=True)]
    return [row[size:] for row in rows]


def _coefficients(column, inverses):
    """Pairs of powers and coefficient of the polynomial with these values, without zeros."""
    table = {
        powers: fractions.Fraction(value)
        for powers, value in zip(
            itertools.product(*(range(len(m)) for m in inverses)), column, strict=True
        )
    }
    for axis, inverse in enumerate(inverses):
        table = {
            key: sum(
                inverse[key[axis]][k] * table[(*key[:axis], k, *key[axis + 1 :])]
                for k in range(len(inverse))
            )
            for key in table
        }
    return [(powers, value) for powers, value in table.items() if value]
