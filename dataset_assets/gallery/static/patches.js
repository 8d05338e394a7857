// The page of all patches: loads the videos' chunks, shows what the form asks for, and opens a patch.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const { categories, videos } = data;
const measures = Object.fromEntries(data.measures);
// Of `COLOURS` in the style sheet.
const COLOURS = 6;
const LOADED_AT_ONCE = 8;
// While more is loaded, the list follows at this pace.
const PAUSE_MS = 400;

const form = document.querySelector("form.filters");
const dialog = document.getElementById("triplet");
const store = new PatchStore(videos, Object.keys(measures).filter((name) => name !== "gt_bits_per_pixel"));
const unread = [];

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function clock(time) {
  const tenths = Math.round(time * 10);
  const [hours, minutes] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60];
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

function written(name, value) {
  if (Number.isNaN(value)) return "not measured";
  if (name === "repeated_frames") return String(value);
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

// The part of the window's picture that the patch shows: a few kB that the patches of a window share. Without it the
// middle frame of the smallest LR file; GT files are a hundred times larger.
function thumbnail(patch) {
  const image = element("img", { alt: "", decoding: "async" });
  const part = element("span", { className: "part" }, image);
  part.style.setProperty("--shape", patch.width / patch.height);
  if (patch.picture) {
    ["--x", "--y", "--w", "--h"].forEach((name, index) => part.style.setProperty(name, patch.region[index]));
    image.src = patch.picture;
  } else {
    part.classList.add("stack");
    image.src = patch.files.lr5 || patch.files.lr7;
  }
  return part;
}

function makeTile(index) {
  const patch = store.describe(index);
  const { sort } = chosen;
  const value = sort ? `${measures[sort]} ${written(sort, store.measure(sort)(index))}` : "";
  const colour = Math.max(0, categories.indexOf(patch.category)) % COLOURS;
  const link = element(
    "a",
    { className: `crop c${colour}`, href: patch.files.gt },
    element("span", { className: "frame" }, thumbnail(patch)),
    element(
      "h3",
      {},
      element("bdi", { textContent: patch.video.name }),
      element("small", {
        textContent: ` window ${patch.number}${patch.crop ? `, crop ${patch.crop},` : ""} at ${clock(patch.time)}`,
      }),
    ),
    element(
      "span",
      { className: "kind" },
      element("span", { className: "dot" }),
      `${patch.category} ${patch.format}`,
      element("small", { textContent: value }),
    ),
  );
  const { files, category, format, width, height, x, y } = patch;
  Object.assign(link.dataset, { ...files, category, format, rect: `${width} ${height} ${x} ${y}` });
  const tile = element("li", { className: "card patch" }, link);
  tile.patch = index;
  return tile;
}

function about(patch) {
  const facts = { video: patch.video.key, "GT file": `${(patch.gtBytes / 1e3).toFixed(0)} kB` };
  for (const [name, label] of Object.entries(measures)) facts[label] = written(name, store.measure(name)(patch.patch));
  return Object.entries(facts).map(([name, value]) =>
    element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value })));
}

let chosen = {};
const list = document.querySelector(".patches");
const grid = new PatchGrid(list, makeTile);

// The text is a key or a name, or part of one.
function videoFilter(text, among = videos) {
  const wanted = text.trim().toLowerCase();
  const isExact = (video) => video.key === wanted || video.name.toLowerCase() === wanted;
  if (among.some(isExact)) return isExact;
  return (video) => `${video.name}\n${video.key}`.toLowerCase().includes(wanted);
}

// The fields of a range show what there is to choose from.
function showExtents() {
  for (const name of Object.keys(measures)) {
    const extent = store.extent(name);
    ["min", "max"].forEach((end, index) => {
      form.elements[`${name}_${end}`].placeholder = Number.isFinite(extent[index]) ? written(name, extent[index]) : "";
    });
  }
}

function choose() {
  const fields = Object.fromEntries(new FormData(form));
  const ranges = Object.keys(measures)
    .filter((name) => fields[`${name}_min`] || fields[`${name}_max`])
    .map((name) => [name, Number(fields[`${name}_min`] || -Infinity), Number(fields[`${name}_max`] || Infinity)]);
  chosen = {
    isVideo: videoFilter(fields.video || ""),
    category: fields.category,
    format: fields.format,
    ranges,
    sort: fields.sort in measures ? fields.sort : "",
    isLowestFirst: fields.order === "lowest",
  };
}

function counted(count, noun, plural) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

function apply() {
  const { sort } = chosen;
  choose();
  if (chosen.sort !== sort) grid.renew();
  form.querySelector("[data-order]").hidden = !chosen.sort;
  const found = store.find(chosen);
  const isLoading = store.ranges.size + unread.length < videos.length;
  const counts = [`${found.length.toLocaleString("en")} of ${counted(store.count, "patch", "patches")}`];
  if (isLoading) counts.push(`${store.ranges.size.toLocaleString("en")} of ${counted(videos.length, "video", "videos")} loaded`);
  form.querySelector(".shown").textContent = counts.join("; ");
  document.querySelector("[data-none]").hidden = found.length > 0 || isLoading;
  list.setAttribute("aria-busy", isLoading);
  grid.show(found);
}

// Chunks call this when they are run.
function addPatches(head, columns) {
  if (head.form === data.form) store.add(head, columns);
}

function load(video) {
  return new Promise((resolve) => {
    const script = element("script", { src: video.chunk });
    script.onload = script.onerror = () => {
      script.remove();
      if (!store.ranges.has(store.places.get(video.key))) unread.push(video.name);
      resolve();
    };
    document.head.append(script);
  });
}

function reportUnread() {
  const note = document.getElementById("unread");
  note.hidden = !unread.length;
  const named = unread.slice(0, 5).join(", ") + (unread.length > 5 ? ", …" : "");
  note.textContent =
    `The patches of ${unread.length} of ${counted(videos.length, "video", "videos")} are not shown (${named}): ` +
    "they were removed since this page was written, or their files are damaged. Remedy: run dataset-assets gallery.";
}

async function loadAll() {
  // First what the address asks for.
  const first = videos.filter((video) => chosen.isVideo(video));
  const waiting = [...first, ...videos.filter((video) => !chosen.isVideo(video))].reverse();
  let appliedAt = 0;
  const work = async () => {
    while (waiting.length) {
      await load(waiting.pop());
      if (performance.now() - appliedAt < PAUSE_MS) continue;
      apply();
      appliedAt = performance.now();
    }
  };
  await Promise.all(Array.from({ length: LOADED_AT_ONCE }, work));
  apply();
  showExtents();
  if (unread.length) reportUnread();
}

const positionOf = (patch) => grid.patches.indexOf(patch);

startDialog(dialog, {
  beside(crop, by) {
    const patch = grid.patches[positionOf(crop.closest("li").patch) + by];
    return patch === undefined ? undefined : makeTile(patch).querySelector("a");
  },
  focus: (crop) => grid.focus(positionOf(crop.closest("li").patch)),
});
dialog.addEventListener("shown", (event) => {
  const patch = store.describe(event.detail.patch);
  const facts = dialog.querySelector(".about");
  facts.hidden = false;
  facts.replaceChildren(...about(patch));
  const place = dialog.querySelector("[data-place]");
  place.hidden = false;
  place.href = `${patch.video.page}#w${patch.number}`;
  place.textContent = `Window ${patch.number} on the video's page`;
});

form.addEventListener("input", () => {
  writeAddress(form);
  apply();
  // A list that became shorter or another one is seen from its beginning.
  const start = list.getBoundingClientRect().top - grid.covered();
  if (start < 0) scrollBy(0, start);
});
form.addEventListener("submit", (event) => event.preventDefault());
function follow() {
  readAddress(form);
  form.querySelector(".ranges").open = [...form.querySelectorAll(".ranges input")].some((field) => field.value);
  apply();
}
addEventListener("hashchange", follow);
form.hidden = false;
follow();
loadAll();
