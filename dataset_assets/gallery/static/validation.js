// Patches are accepted and declined while `dataset-assets ui` serves the page. From the disk it shows their state alone.
"use strict";

async function startDeciding() {
  const main = document.querySelector("main[data-texts]");
  // In a frame of another site a click may be meant for something else.
  if (!main || !location.protocol.startsWith("http") || window.top !== window.self) return;
  const address = "/validation";
  const texts = JSON.parse(main.dataset.texts);
  const cards = [...document.querySelectorAll("[data-patch]")];
  const problem = main.querySelector(".decision-problem");
  const exported = main.querySelector(".exports");
  let token = "";

  function show({ states, exports }) {
    const counts = Object.fromEntries(Object.keys(texts).map((state) => [state, 0]));
    for (const card of cards) {
      const state = states[card.dataset.patch];
      card.querySelector(".deciding").hidden = !state;
      // Another proposal has replaced it since the page was written.
      card.querySelector(".decision").textContent = state ? texts[state] : "Not proposed any more.";
      if (!state) continue;
      card.dataset.state = state;
      for (const button of card.querySelectorAll("[data-decide]")) {
        button.setAttribute("aria-pressed", button.dataset.decide === state);
      }
    }
    for (const state of Object.values(states)) counts[state] += 1;
    for (const [state, count] of Object.entries(counts)) {
      document.querySelector(`[data-count=${state}]`).textContent = count.toLocaleString("en");
    }
    exported.hidden = !exports.length;
    exported.textContent = `${exports.join(", ")} still trains on patches that are set apart: dataset-assets validation refresh exports again.`;
  }

  function showProblem(text) {
    problem.textContent = text;
    problem.hidden = !text;
    if (text) problem.scrollIntoView({ block: "center" });
  }

  async function decide(card, state) {
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Validation-Token": token },
        body: JSON.stringify({ patch: card.dataset.patch, state }),
      });
      const found = await answer.json();
      if (answer.ok) show(found);
      showProblem(answer.ok ? "" : found.message);
    } catch {
      showProblem("The UI does not answer, so nothing was changed; reload the page once it runs.");
    }
  }

  main.addEventListener("click", (event) => {
    const button = event.target.closest("[data-decide]");
    if (button) decide(button.closest("[data-patch]"), button.dataset.decide);
  });
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) return;
  const found = await answer.json();
  token = found.token;
  show(found);
}

startDeciding();
