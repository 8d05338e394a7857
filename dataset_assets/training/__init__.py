"""Reading a data set for training: samples as numpy arrays, and the order of an epoch.

Torch's `DataLoader` takes both and makes tensors of the arrays; torch is not needed to read. Not here:
writing packed arrays and other layouts (`exports`), models, losses, Dagster.

Example:
    from torch.utils.data import DataLoader

    from dataset_assets.training import TripletDataset, TripletSampler

    dataset = TripletDataset("dataset", "general", crop=192)
    sampler = TripletSampler(dataset, weights="video")
    loader = DataLoader(dataset, batch_size=8, sampler=sampler, num_workers=2, persistent_workers=True)
    for batch in loader:  # an epoch; the next loop over `loader` draws other crops
        lr, gt = batch["lr"], batch["gt"]  # uint8 (8, 7, 3, 64, 64) and (8, 3, 192, 192)
"""

from dataset_assets.training.dataset import Sample, TripletDataset
from dataset_assets.training.sampler import TripletSampler

__all__ = ["Sample", "TripletDataset", "TripletSampler"]
