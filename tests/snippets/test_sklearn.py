"""scikit-learn fits our arrays and predicts from them."""

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed: tools/requirements.txt")


def blobs(np):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(m, 0.5, (40, 3)) for m in (0.0, 2.0, 4.0)])
    return x, np.repeat(np.arange(3), 40)


def test_classifiers(same):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    def snippet(np):
        x, y = blobs(np)
        models = [LogisticRegression(), KNeighborsClassifier(3), SVC()]
        models.append(RandomForestClassifier(10, random_state=0))
        return [(model.fit(x, y).predict(x[::7]), model.score(x, y)) for model in models]

    same(snippet)


def test_regression_and_clusters(same):
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LinearRegression, Ridge

    def snippet(np):
        x, y = blobs(np)
        target = x @ np.array([1.0, 2.0, 3.0]) + y
        return (
            LinearRegression().fit(x, target).coef_,
            Ridge(alpha=0.1).fit(x, target).predict(x[:5]),
            np.sort(np.bincount(KMeans(3, n_init=3, random_state=0).fit(x).labels_)),
            PCA(2).fit(x).explained_variance_ratio_,
        )

    same(snippet, rtol=1e-8)


def test_preparation(same):
    from sklearn.metrics import accuracy_score, confusion_matrix, mean_squared_error
    from sklearn.model_selection import cross_val_score, train_test_split
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    def snippet(np):
        x, y = blobs(np)
        x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
        model = make_pipeline(StandardScaler(), GaussianNB()).fit(x_train, y_train)
        found = model.predict(x_test)
        return (
            accuracy_score(y_test, found),
            confusion_matrix(y_test, found),
            mean_squared_error(y_test, found),
            cross_val_score(GaussianNB(), x, y, cv=3),
            OneHotEncoder().fit_transform(y[:, None]).toarray(),
            StandardScaler().fit_transform(x),
        )

    same(snippet, rtol=1e-9)
