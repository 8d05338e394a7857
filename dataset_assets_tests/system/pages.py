"""The ways of people through Dagster's pages: what is clicked to get somewhere.

Belongs here: clicks, and waiting until a page shows what it is for. Tests and the documentation's screenshots
go these ways; what must be seen there is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page

PATIENCE_MS = 120_000.0  # of a busy machine; a page takes 2 s on an idle one


@dataclass(frozen=True)
class Pages:
    """A browser's tab on the UI.

    Attributes:
        page: The tab.
        address: Where the UI is.
    """

    page: Page
    address: str

    def __post_init__(self) -> None:
        """Waits for pages as long as a busy machine needs."""
        self.page.set_default_timeout(PATIENCE_MS)

    @property
    def dialog(self) -> Locator:
        """The dialog that is open."""
        return self.page.get_by_role("dialog")

    def open(self, path: str) -> None:
        """Opens a page by its path."""
        self.page.goto(self.address + path)

    def open_lineage(self) -> None:
        """Opens the graph of all assets, and waits for the state in each box."""
        self.open("/asset-groups")
        self.node("source_video").get_by_text("filled").wait_for()
        self.page.wait_for_function("!document.body.innerText.includes('Loading')")

    def node(self, asset: str) -> Locator:
        """An asset's box in the graph."""
        return self.page.locator("foreignObject").filter(has=self.page.locator(f"[data-tooltip={asset}]"))

    def choose_missing(self) -> None:
        """Two clicks of the three that make what is missing; the third one is `launch`."""
        self.page.get_by_role("button", name="Materialize all").first.click()
        self.dialog.get_by_role("button", name="Missing", exact=True).click()

    def launch(self) -> str:
        """The third click; gives the backfill's id."""
        self.dialog.get_by_role("button", name="Launch backfill").click()
        note = self.page.get_by_text("Created backfill")
        note.wait_for()
        return note.inner_text().split("Created backfill")[1].split()[0]

    def open_job(self, name: str = "make_patches") -> None:
        """Opens a job's page by Jobs in the menu."""
        self.open("/jobs")
        self.page.locator(f"a[href$='/jobs/{name}']").first.click()
        self.page.get_by_role("button", name="Materialize all").first.wait_for()

    def open_partition(self, asset: str, video: str) -> None:
        """Opens an asset's partitions and picks a video."""
        self.open(f"/assets/{asset}?view=partitions")
        self.page.get_by_text(video, exact=True).first.click()

    def entry(self, label: str) -> Locator:
        """A row of the metadata on the page."""
        label_cell = self.page.get_by_text(label, exact=True)
        return self.page.locator("tr").filter(has=label_cell).first

    def open_contact_sheet(self) -> Locator:
        """Opens the contact sheet of the partition's page; gives the picture."""
        self.entry("contact_sheet").get_by_text("Show Markdown").click()
        picture = self.dialog.get_by_alt_text("contact sheet")
        picture.wait_for()
        return picture

    def open_pool(self, name: str = "decode") -> None:
        """Opens a pool by Deployment > Concurrency."""
        self.open("/deployment/concurrency")
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("button", name="Edit limit").wait_for()

    def enter_limit(self, limit: int) -> None:
        """Writes a new limit of the open pool; `save_limit` makes it so."""
        self.page.get_by_role("button", name="Edit limit").click()
        self.dialog.get_by_role("textbox").fill(str(limit))

    def save_limit(self) -> None:
        """Confirms the new limit."""
        self.dialog.get_by_role("button", name="Update limit").click()
        self.dialog.wait_for(state="hidden")
