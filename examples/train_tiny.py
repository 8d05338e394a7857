"""Train a tiny model on a data set, and compare it with bicubic on a film that it was not trained on.

    python examples/train_tiny.py [DATASET] [--category general] [--hold-out VIDEO] [--steps 400]

With torch (`pip install torch`) that is a convolutional network of 7 frames, trained in less than a minute
without a GPU; without torch the best linear filter of the middle frame. The data set of `make demo` is the
default.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataset_assets.training import Sample, TripletDataset, TripletSampler

Luma = NDArray[np.float32]
Model = Callable[[NDArray[np.uint8], int], Luma]
"""LR frames (frames, 3, h, w) and the scale to the luma of the enlarged middle frame (scale h, scale w)."""

TAPS = 5  # side of the neighbourhood that the linear filter sees, in LR pixels
BORDER = 3  # LR pixels that are not compared: no filter knows what lies beyond
CROP = 96
BATCH = 12


def luma_of(rgb: NDArray[np.uint8]) -> Luma:
    """Return the luma of a picture: (3, h, w), uint8, to (h, w), 0..255."""
    return np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), rgb.astype(np.float32), 1)


def bicubic(lr: NDArray[np.uint8], scale: int) -> Luma:
    """Enlarge the middle frame by cv2's bicubic, the model to beat."""
    middle = luma_of(lr[len(lr) // 2])
    height, width = middle.shape
    enlarged = cv2.resize(middle, (scale * width, scale * height), interpolation=cv2.INTER_CUBIC)
    return enlarged.astype(np.float32, copy=False)


def psnr_db(picture: Luma, gt: NDArray[np.uint8], scale: int) -> float:
    """Return the PSNR of a luma, rounded as a picture would be, without its border."""
    inner = slice(BORDER * scale, -BORDER * scale)
    error = (np.clip(picture, 0, 255).round() - luma_of(gt))[inner, inner]
    return float(10 * np.log10(255**2 / max(float(np.mean(error**2)), 1e-3)))


def gains_db(model: Model, samples: Iterable[Sample], scale: int) -> tuple[float, float]:
    """Return bicubic's mean PSNR on some samples, and how much more the model's is."""
    pairs = [
        [psnr_db(way(sample["lr"], scale), sample["gt"], scale) for way in (bicubic, model)]
        for sample in samples
    ]
    base, other = np.mean(pairs, axis=0)
    return float(base), float(other - base)


def fit_filter(samples: Iterable[Sample], scale: int) -> Model:
    """Return the linear filter that adds most to bicubic, by the normal equations.

    Each of the scale**2 GT pixels of an LR pixel is bicubic's plus a weighted sum of the 5x5 LR pixels
    around it, as differences to the middle one.
    """
    squares = np.zeros((TAPS**2, TAPS**2))
    products = np.zeros((TAPS**2, scale**2))
    for sample in samples:
        missing = luma_of(sample["gt"]) - bicubic(sample["lr"], scale)
        features, targets = _features(sample["lr"]), _phases(missing, scale)
        inner = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
        x = features[inner].reshape(-1, TAPS**2).astype(np.float64)
        squares += x.T @ x
        products += x.T @ targets[inner].reshape(-1, scale**2)
    ridge = 1e-4 * np.trace(squares) / len(squares) * np.eye(len(squares))
    weights = np.linalg.solve(squares + ridge, products).astype(np.float32)

    def model(lr: NDArray[np.uint8], scale: int) -> Luma:
        height, width = lr.shape[-2:]
        added = (_features(lr) @ weights).reshape(height, width, scale, scale)
        return bicubic(lr, scale) + added.transpose(0, 2, 1, 3).reshape(scale * height, scale * width)

    return model


def _features(lr: NDArray[np.uint8]) -> Luma:
    """Return the differences of each pixel's neighbourhood to it: (h, w, 25)."""
    middle = luma_of(lr[len(lr) // 2])
    padded = np.pad(middle, TAPS // 2, mode="symmetric")
    around = np.lib.stride_tricks.sliding_window_view(padded, (TAPS, TAPS))
    return around.reshape(*middle.shape, TAPS**2) - middle[..., None]


def _phases(picture: Luma, scale: int) -> Luma:
    """Return the scale**2 GT pixels of each LR pixel: (h, w, scale**2)."""
    height, width = (side // scale for side in picture.shape)
    phases = picture.reshape(height, scale, width, scale).transpose(0, 2, 1, 3)
    return phases.reshape(height, width, scale**2)


def train_network(dataset: TripletDataset, steps: int) -> Model:
    """Train a network of five convolutions that adds to bicubic, on the CPU or the GPU."""
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader

    torch.manual_seed(0)
    torch.set_num_threads(1)  # more gain nothing here, and take the cores of the workers
    device = "cuda" if torch.cuda.is_available() else "cpu"
    scale, frames = dataset.scale, len(dataset[0]["lr"])
    network = _network(frames, scale).to(device)

    def enlarged(lr: Any) -> Any:
        """Enlarge the middle frames of a batch: float (n, frames, 3, h, w), 0..1, to (n, 3, H, W)."""
        middle = lr[:, frames // 2]
        base = functional.interpolate(middle, scale_factor=scale, mode="bicubic")
        contrast = lr - middle.mean((2, 3), keepdim=True)[:, None]
        return base + network(4 * contrast.flatten(1, 2)) / 4

    loader = DataLoader(
        dataset,
        batch_size=BATCH,
        sampler=TripletSampler(dataset, weights="video"),
        num_workers=2,
        persistent_workers=True,
    )
    # Each loop over the loader is an epoch with other crops.
    batches = (batch for _ in itertools.count() for batch in loader)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step, batch in zip(range(1, steps + 1), batches, strict=False):
        lr, gt = (batch[name].to(device).float() / 255 for name in ("lr", "gt"))
        loss = functional.mse_loss(enlarged(lr), gt)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step} of {steps}: {-10 * loss.log10().item():.2f} dB", flush=True)

    def model(lr: NDArray[np.uint8], scale: int) -> Luma:
        with torch.no_grad():
            picture = enlarged(torch.from_numpy(lr)[None].to(device).float() / 255)[0]
        return luma_of((255 * picture).clamp(0, 255).round().byte().cpu().numpy())

    return model


def _network(frames: int, scale: int) -> Any:
    """Return a network that begins as bicubic of the middle frame; a random start would take minutes more."""
    import torch
    from torch import nn

    first = nn.Conv2d(3 * frames, 32, 3, padding=1)
    last = nn.Conv2d(32, 3 * scale**2, 3, padding=1)
    others = [nn.Conv2d(32, 32, 3, padding=1) for _ in range(3)]
    with torch.no_grad():
        is_middle = torch.arange(3 * frames) // 3 == frames // 2
        first.weight *= frames**0.5 * is_middle[None, :, None, None]
        last.weight.zero_()
        last.bias.zero_()
    hidden = [layer for each in (first, *others) for layer in (each, nn.ReLU())]
    return nn.Sequential(*hidden, last, nn.PixelShuffle(scale))


def main() -> None:
    """Train, and report the gain on the film that was held out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dataset", nargs="?", default="demo/dataset", help="a data set's folder")
    parser.add_argument("--category", default="general")
    parser.add_argument(
        "--hold-out", metavar="VIDEO", help="key of the film to test on; the first by default"
    )
    parser.add_argument("--steps", type=int, default=400, help="with torch: steps of 12 crops of 96x96")
    chosen = parser.parse_args()
    held_out = chosen.hold_out or TripletDataset(chosen.dataset, chosen.category, crop=None).videos[0]
    training = TripletDataset(chosen.dataset, chosen.category, crop=CROP, where=f"video <> '{held_out}'")
    test = TripletDataset(
        chosen.dataset, chosen.category, crop=None, augment=False, where=f"video = '{held_out}'"
    )
    print(f"training on {training!r}")
    print(f"testing on  {test!r}")
    started_s = time.process_time()
    if find_spec("torch"):
        name, model = "network", train_network(training, chosen.steps)
    else:
        # Four crops of each patch: no more are needed for 225 weights.
        draws = range(4 * len(training))
        name, model = "linear filter", fit_filter((training[index] for index in draws), training.scale)
    print(f"trained in {time.process_time() - started_s:.1f} CPU s")
    base_db, gain_db = gains_db(model, test, test.scale)
    print(f"{held_out}, never trained on: bicubic {base_db:.2f} dB, {name} {gain_db:+.2f} dB")


if __name__ == "__main__":
    main()
