// Filters of the lists, and the dialog that shows a triplet. Without it the pages still work: links open the files.
"use strict";

const shownCrops = () => [...document.querySelectorAll("a.crop")].filter((crop) => !crop.closest("[hidden]"));

// What is chosen in a form stands in the address, so that it can be sent on; the address of a place has no "=".
function writeAddress(form) {
  const address = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  for (const [key, value] of new FormData(form)) value ? address.set(key, value) : address.delete(key);
  history.replaceState(null, "", address.size ? `#${address}` : location.pathname + location.search);
}

function readAddress(form) {
  const address = new URLSearchParams(location.hash.slice(1));
  for (const field of form.elements) {
    if (!field.name) continue;
    const wanted = address.get(field.name) || "";
    if (field.type === "radio") field.checked = field.value === wanted;
    else field.value = wanted;
  }
  for (const fields of form.querySelectorAll("fieldset:has([type=radio])")) {
    if (!fields.querySelector(":checked")) fields.querySelector("input").checked = true;
  }
}

// A list is filtered by the form before it.
function startFilters(list) {
  const name = list.dataset.filtered;
  const form = list.parentElement.querySelector("form.filters");
  if (!form) return;
  const cards = [...list.querySelectorAll(":scope > .card")];
  const parts = name === "windows" ? cards.map((card) => [...card.querySelectorAll("[data-category]")]) : null;
  const empty = document.querySelector(`[data-none="${name}"]`);

  const isLike = (data, chosen) =>
    (!chosen.category || data.category.split(" ").includes(chosen.category)) &&
    (!chosen.format || data.format === chosen.format) &&
    (!chosen.reason || data.reason === chosen.reason) &&
    (!chosen.state || data.state === chosen.state) &&
    (!chosen.text || data.text.toLowerCase().includes(chosen.text.trim().toLowerCase()));

  function apply() {
    const chosen = Object.fromEntries(new FormData(form));
    const isFree = !Object.values(chosen).some((value) => value);
    let count = 0;
    cards.forEach((card, index) => {
      let isShown = isFree || !parts ? isFree || isLike(card.dataset, chosen) : false;
      if (parts) {
        for (const part of parts[index]) {
          const isWanted = isFree || isLike(part.dataset, chosen);
          (part.closest("li li") || part).hidden = !isWanted;
          isShown ||= isWanted;
        }
      }
      card.hidden = !isShown;
      count += isShown;
    });
    form.querySelector(".shown").textContent = isFree ? "" : `${count} of ${cards.length}`;
    empty.hidden = count > 0 || !cards.length;
  }

  form.addEventListener("input", () => {
    apply();
    writeAddress(form);
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  function follow() {
    if (location.hash && !location.hash.includes("=")) return;
    readAddress(form);
    apply();
  }
  addEventListener("hashchange", follow);
  form.hidden = !form.querySelector("input");
  follow();
}

const cropsOfPage = {
  beside(crop, by) {
    const crops = shownCrops();
    return crops[crops.indexOf(crop) + by];
  },
  focus: (crop) => crop.focus(),
};

// Where only a part of the patches is in the page, `crops` finds those that are not.
function startDialog(dialog, crops = cropsOfPage) {
  const part = (selector) => dialog.querySelector(selector);
  const [gt, lr] = [part(".gt"), part(".lr")];
  const views = [...dialog.querySelectorAll(".view")];
  const [zoom, frame, play] = [part("[name=zoom]"), part("[name=frame]"), part("[data-do=play]")];
  let current = null;
  let timer = 0;
  // The frames of the window that the LR stack has.
  let [first, count] = [0, 7];

  // The LR stack has its frames below one another; as wide as GT it is as many times as high, and one is seen.
  function place() {
    const [width, height] = current.dataset.rect.split(" ").map(Number);
    const { clientWidth, clientHeight } = views[0];
    const scale = Number(zoom.value) || Math.min(clientWidth / width, clientHeight / height);
    for (const view of views) {
      const sheet = view.firstElementChild;
      sheet.style.width = `${width * scale}px`;
      sheet.style.height = `${height * scale}px`;
    }
    gt.style.width = lr.style.width = `${width * scale}px`;
    gt.style.height = `${height * scale}px`;
    lr.style.height = `${count * height * scale}px`;
    lr.style.top = `${(first - frame.value) * height * scale}px`;
    gt.classList.toggle("large", scale > 1);
    frame.nextElementSibling.value = frame.value;
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.setAttribute("aria-pressed", "false");
  }

  function show(crop) {
    current = crop;
    const [width, height, x, y] = crop.dataset.rect.split(" ");
    const { category, format, lr5, lr7, gt7, crop: number } = crop.dataset;
    [first, count] = lr7 ? [0, 7] : [1, 5];
    [frame.min, frame.max] = [first, first + count - 1];
    const title = crop.closest(".card").querySelector("h3").textContent.trim();
    part("h2").textContent = `${title} – ${category} ${format}${number ? `, crop ${number}` : ""}, ${width}×${height} at (${x}, ${y})`;
    gt.src = crop.getAttribute("href");
    lr.src = lr7 || lr5;
    gt.alt = `Ground truth of ${title}`;
    lr.alt = `Low-resolution frames of ${title}`;
    for (const [name, url] of [["gt", gt.getAttribute("src")], ["lr5", lr5], ["lr7", lr7], ["gt7", gt7]]) {
      const link = part(`[data-file=${name}]`);
      link.hidden = !url;
      if (url) link.setAttribute("href", url);
    }
    if (!dialog.open) dialog.showModal();
    place();
    dialog.dispatchEvent(new CustomEvent("shown", { detail: crop.closest(".card") }));
  }

  function step(by) {
    const next = crops.beside(current, by);
    if (next) show(next);
  }

  const actions = {
    previous: () => step(-1),
    next: () => step(1),
    close: () => dialog.close(),
    play: () => {
      if (timer) return stop();
      play.setAttribute("aria-pressed", "true");
      timer = setInterval(() => {
        frame.value = first + ((Number(frame.value) - first + 1) % count);
        place();
      }, 125);
    },
  };

  document.addEventListener("click", (event) => {
    const crop = event.target.closest("a.crop");
    if (!crop || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(crop);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
    else actions[event.target.dataset.do]?.();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("select, input, .view")) return;
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    stop();
    crops.focus(current);
  });
  dialog.addEventListener("input", place);
  addEventListener("resize", () => dialog.open && place());
  views.forEach((view, index) =>
    view.addEventListener("scroll", () => {
      const other = views[1 - index];
      other.scrollTop = view.scrollTop;
      other.scrollLeft = view.scrollLeft;
    }),
  );
}

// The crop that is pointed at is lit in its window's picture.
function startLight() {
  const light = (event, isLit) => {
    const crop = event.target.closest?.("a.crop");
    if (!crop) return;
    const { category } = crop.dataset;
    for (const box of crop.closest(".card").querySelectorAll("i.box")) {
      box.classList.toggle("lit", isLit && box.dataset.category === category);
    }
  };
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, (event) => light(event, true));
  for (const name of ["mouseout", "focusout"]) document.addEventListener(name, (event) => light(event, false));
}

function showDataSet(line) {
  line.querySelector(".name").textContent = DATA_SET.name;
  line.querySelector(".path").textContent = DATA_SET.path;
  document.title += ` – ${DATA_SET.name}`;
  line.hidden = false;
}

// `dataset-assets ui` serves the pages beside Dagster; another server, or the disk, has nothing to go back to.
async function showWayToDagster(link) {
  if (!location.protocol.startsWith("http")) return;
  const answer = await fetch("/server_info");
  if (!answer.ok || !(await answer.json()).dagster_webserver_version) return;
  link.setAttribute("href", link.dataset.dagster);
  link.hidden = false;
}

document.querySelectorAll("[data-filtered]").forEach(startFilters);
const triplet = document.getElementById("triplet");
if (triplet && !document.querySelector(".patches")) {
  startDialog(triplet);
  startLight();
}
document.querySelectorAll(".site").forEach(showDataSet);
document.querySelectorAll("[data-dagster]").forEach((link) => showWayToDagster(link).catch(() => {}));
