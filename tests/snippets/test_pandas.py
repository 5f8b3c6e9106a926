"""pandas made from our arrays, and arrays from pandas."""

import numpy
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed: tools/requirements.txt")


def test_frames(same):
    def snippet(np):
        frame = pd.DataFrame({"x": np.arange(6), "y": np.linspace(0, 1, 6), "g": list("aabbcc")})
        frame["z"] = np.sqrt(np.asarray(frame["y"])) * 2
        frame["big"] = np.where(np.array([True, False] * 3), "yes", "no")
        grouped = frame.groupby("g")[["x", "y"]].mean()
        return (
            frame["z"].to_numpy(),
            grouped.to_numpy(),
            list(frame["big"]),
            np.asarray(frame[["x", "y"]]) @ np.ones((2, 1)),
            frame[frame["x"] > 2]["y"].sum(),
            {name: str(kind) for name, kind in frame.dtypes.items()},
        )

    same(snippet)


def test_series(same):
    def snippet(np):
        series = pd.Series(np.arange(5) * 1.5, index=np.arange(10, 15))
        return (
            np.array(series + np.ones(5)),
            np.asarray(np.exp(series)),
            np.array(series.rolling(2).mean()),
            np.asarray(series.loc[np.array([11, 13])]),
            series.isin(np.array([3.0])).to_numpy(),
            pd.cut(np.array([1.0, 5.0, 9.0]), np.array([0, 4, 10])).codes,
        )

    same(snippet)


def test_matrix(same):
    def snippet(np):
        data = np.random.default_rng(0).normal(size=(30, 3))
        frame = pd.DataFrame(data, columns=list("abc"))
        return (
            frame.corr().to_numpy(),
            frame.describe().to_numpy(),
            frame.apply(np.mean).to_numpy(),
            frame.to_numpy()[:2] - np.asarray(frame.iloc[0]),
            pd.concat([frame, pd.DataFrame(np.zeros((1, 3)), columns=list("abc"))]).shape,
        )

    same(snippet, rtol=1e-12)


FUNCTIONS = """
np.exp(s)|np.sqrt(df)|np.isnan(s)|np.add(np.ones(3), s)|np.ones(3) + s|np.ones(3) * df["a"]|2 * s
np.ones(3) > s|np.maximum(s, 1.5)|np.power(s, 2)|np.matmul(df.T, df)|np.sum(df, axis=0)|np.sum(df)
np.mean(df, axis=1)|np.mean(s)|np.cumsum(s)|np.clip(s, 1, 2)|np.round(df, 1)|np.transpose(df)
np.squeeze(s)|np.repeat(s, 2)|np.argsort(s)|np.abs(df)|np.std(s)|np.where(s > 1, s, 0)
np.concatenate([s, s])|np.asarray(s)|np.array(df)|np.linspace(0, 1, 3)[s > 1]|np.dot(df.T, np.ones(3))
s - np.ones(3)|np.stack([s, np.ones(3)])|np.full(3, 2.0) ** s|np.median(df, axis=0)|np.unique(s)
"""


@pytest.mark.parametrize("text", FUNCTIONS.strip().replace("\n", "|").split("|"))
def test_functions_of_pandas(text, same):
    """A function of a series is a series where NumPy's is, with the same index."""

    def snippet(np):
        s = pd.Series([1.0, 2.0, 3.0], index=list("xyz"))
        df = pd.DataFrame({"a": s, "b": s * 2})
        result = eval(text, {"np": np, "s": s, "df": df})
        if isinstance(result, (pd.Series, pd.DataFrame)):
            return type(result).__name__, list(result.index), result.to_numpy()
        return "array", result

    same(snippet)


def test_writes_from_pandas(same):
    def snippet(np):
        a = np.zeros((3, 2))
        s = pd.Series([1.0, 2.0, 3.0])
        a[:, 0] = s
        a[1:, 1] = s[1:]
        a[:, 1] += s
        kept = a
        a += pd.DataFrame({"p": s, "q": s})
        return kept, type(a).__name__

    same(snippet)


def test_text_round_trip(same, tmp_path):
    def snippet(np):
        path = tmp_path / "frame.csv"
        pd.DataFrame({"v": np.array([0.1, 0.25, 1e300])}).to_csv(path, index=False)
        return path.read_text(), pd.read_csv(path)["v"].to_numpy() + np.zeros(3)

    same(snippet)


def test_frame_is_a_copy():
    """What pandas does to its frame does not reach the array unseen."""
    import fuseau

    a = fuseau.arange(3.0)
    frame = pd.DataFrame({"a": a})
    frame.loc[0, "a"] = 9.0
    assert a.tolist() in ([0.0, 1.0, 2.0], [9.0, 1.0, 2.0])
    assert numpy.asarray(frame["a"]).tolist() == [9.0, 1.0, 2.0]
