// Windows are excluded by hand while `dataset-assets ui` serves the page. From the disk it shows their state alone.
"use strict";

async function startExclusions() {
  const main = document.querySelector("main[data-key]");
  // In a frame of another site a click may be meant for something else.
  if (!main || !location.protocol.startsWith("http") || window.top !== window.self) return;
  const address = `/exclusions/${main.dataset.key}`;
  const texts = JSON.parse(main.dataset.states);
  const cards = [...document.querySelectorAll("[data-frames]")].filter((card) => card.querySelector(".exclude"));
  const dialog = document.getElementById("triplet");
  const inDialog = document.createElement("button");
  const problems = [main.querySelector(".exclusion-problem")];
  problems.push(problems[0].cloneNode());
  let shown = null;
  let token = "";
  let excluded = [];

  const isExcluded = (card) => {
    const [first, , last] = card.dataset.frames.split(" ").map(Number);
    return excluded.some((frame) => first <= frame && frame <= last);
  };

  function showStates() {
    const counts = { to_exclude: 0, to_bring_back: 0 };
    for (const card of cards) {
      const is = isExcluded(card);
      const state = "made" in card.dataset ? (is ? "to_exclude" : "") : is ? "excluded" : "to_bring_back";
      card.dataset.state = state;
      card.querySelector(".exclusion").textContent = texts[state];
      const button = card.querySelector(".exclude");
      button.textContent = is ? "Take back" : "Exclude";
      button.hidden = false;
      if (state in counts) counts[state] += 1;
    }
    for (const [state, count] of Object.entries(counts)) {
      document.querySelector(`[data-count=${state}]`).textContent = count;
    }
    document.getElementById("next-run").hidden = !counts.to_exclude && !counts.to_bring_back;
    if (shown) {
      inDialog.hidden = false;
      inDialog.textContent = isExcluded(shown) ? "Take window back" : "Exclude window";
    }
  }

  function showProblem(text) {
    for (const problem of problems) {
      problem.textContent = text;
      problem.hidden = !text;
    }
    if (text && !dialog.open) problems[0].scrollIntoView({ block: "center" });
  }

  async function toggle(card) {
    const frame = Number(card.dataset.frames.split(" ")[1]);
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Exclusions-Token": token },
        body: JSON.stringify({ frame, excluded: !isExcluded(card) }),
      });
      const found = await answer.json();
      if (answer.ok) excluded = found.frames;
      showProblem(answer.ok ? "" : found.message);
    } catch {
      showProblem("The UI does not answer, so nothing was changed; reload the page once it runs.");
    }
    showStates();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.exclude");
    if (button) toggle(button === inDialog ? shown : button.closest("[data-frames]"));
  });
  dialog.addEventListener("shown", (event) => {
    shown = event.detail;
    if (token) showStates();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (token && !event.target.matches("select, input")) toggle(shown);
  });

  inDialog.type = "button";
  inDialog.className = "exclude";
  inDialog.hidden = true;
  inDialog.title = "key x";
  inDialog.setAttribute("aria-keyshortcuts", "x");
  dialog.querySelector("[data-do=close]").before(inDialog);
  dialog.querySelector("header").after(problems[1]);
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) return;
  const found = await answer.json();
  token = found.token;
  excluded = found.frames;
  showStates();
}

startExclusions();
