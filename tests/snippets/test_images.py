"""Pictures: plots by matplotlib, arrays to and from Pillow's images."""

import io

import pytest


def test_plots(same):
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    def snippet(np):
        figure, axes = pyplot.subplots(2, 2, figsize=(4, 3), dpi=50)
        x = np.linspace(0, 6, 50)
        axes[0, 0].plot(x, np.sin(x), label="sin")
        axes[0, 0].fill_between(x, 0, np.cos(x), where=np.cos(x) > 0)
        axes[0, 1].imshow(np.outer(x, x), extent=(0, 1, 0, 1))
        counts, edges, _ = axes[1, 0].hist(np.sin(x), bins=7)
        axes[1, 0].scatter(x[:5], x[:5] ** 2, c=np.arange(5), s=np.arange(5) * 3)
        axes[1, 1].contour(np.hypot(*np.meshgrid(x, x)))
        axes[1, 1].bar(np.arange(3), np.array([1, 2, 3]), yerr=np.full(3, 0.1))
        figure.canvas.draw()
        pixels = np.array(figure.canvas.buffer_rgba())
        pyplot.close(figure)
        return pixels, counts, edges

    same(snippet)


def test_pillow(same):
    image_module = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

    def snippet(np):
        y, x = np.mgrid[0:16, 0:20]
        rgb = np.stack([x * 12, y * 15, (x + y) * 7], axis=-1).astype(np.uint8)
        image = image_module.fromarray(rgb)
        file = io.BytesIO()
        image.save(file, "PNG")
        read = np.array(image_module.open(file))
        gray = np.asarray(image.convert("L")) / 255.0
        small = np.asarray(image.resize((10, 8)))
        weights = read @ np.array([0.299, 0.587, 0.114])
        return (
            read,
            gray,
            small,
            weights,
            np.asarray(image.rotate(90, expand=True)),
            read[::-1, :, 0],
        )

    same(snippet)
