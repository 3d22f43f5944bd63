// The viewer's own script: keys, ratings and the run while it is going. What others wrote is set as text only.
"use strict";

const one = (selector) => document.querySelector(selector);
const typing = (element) => element && /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName);

function move(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))].focus();
}

function follow(kind) {
  const link = one(`a[rel="${kind}"]`);
  if (link) location.href = link.href;
}

async function send(address, body) {
  const status = one("#said");
  try {
    const reply = await fetch(address, {
      method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body)});
    const read = await reply.json();
    if (reply.ok) return read;
    status.textContent = `Not kept: ${read.error}`;
  } catch (error) {
    status.textContent = "Not kept: the viewer does not answer; is `lema view` still running?";
  }
  return null;
}

function rating(form) {
  const about = form.dataset;
  const pressed = (name) => form.querySelector(`button[name="${name}"][aria-pressed="true"]`);
  let busy = false;

  async function rate(value, rejected, onwards) {
    if (busy) return;
    busy = true;
    const kept = await send(about.rate, {
      correction: about.correction, stage: about.stage, rater: about.rater, rating: value,
      note: one("#note").value, rejected, blind: about.blind === "yes"});
    busy = false;
    if (!kept) return;
    if (onwards && !about.last) location.href = about.next;
    else location.reload();
  }

  async function undo() {
    if (busy) return;
    busy = true;
    const back = await send(about.undo, {rater: about.rater, stage: about.stage});
    busy = false;
    if (!back) return;
    const earlier = one('a[rel="prev"]');
    if (back.correction === about.correction || !earlier) location.reload();
    else location.href = earlier.href;
  }

  const current = () => (pressed("rating") ? pressed("rating").value : "");
  const keys = {
    "1": () => rate("excellent", !!pressed("reject"), true), "2": () => rate("good", !!pressed("reject"), true),
    "3": () => rate("poor", !!pressed("reject"), true), u: undo, n: () => one("#note").focus(),
    x: () => rate(current(), !pressed("reject"), false)};
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.name === "rating") rate(button.value, !!pressed("reject"), true);
    else keys[button.name === "undo" ? "u" : "x"]();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  return keys;
}

function live(section) {
  const show = (facts) => {
    section.hidden = !facts.going;
    if (!facts.going) return facts.changed;
    one("#live-stages").textContent = `${facts.done} of ${facts.stages} stages.`;
    one("#live-cost").textContent = facts.cost;
    fill("#live-work", facts.at_work.map((stage) => `${stage.stage}: ${stage.how}`));
    fill("#live-replies", facts.replies.map((reply) => `${reply.when} ${reply.model} ${reply.text}`));
    return facts.changed;
  };
  const fill = (selector, lines) => {
    one(selector).replaceChildren(...lines.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      item.className = "text";
      return item;
    }));
  };
  const look = async () => {
    try {
      const reply = await fetch(section.dataset.live);
      if (show(await reply.json())) one("#live-changed").hidden = false;
    } catch (error) {
      return;
    }
    setTimeout(look, 2000);
  };
  look();
}

document.addEventListener("DOMContentLoaded", () => {
  const form = one("[data-rate]");
  const keys = {"j": () => move(1), "k": () => move(-1), "ArrowLeft": () => follow("prev"),
    "ArrowRight": () => follow("next"), "/": () => (one("[data-search]") || one("#find")).focus(),
    ...(form ? rating(form) : {})};
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  const find = one("[data-find]");
  find.addEventListener("submit", (event) => {
    event.preventDefault();
    const id = one("#find").value.trim();
    if (id) location.href = find.dataset.find + encodeURIComponent(id);
  });
  for (const filters of document.querySelectorAll("[data-filters]")) {
    filters.addEventListener("formdata", (event) => {
      for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
    });
    filters.addEventListener("change", (event) => {
      if (event.target.id === "stage") location.href = `${filters.action}?stage=${encodeURIComponent(event.target.value)}`;
    });
  }
  for (const details of document.querySelectorAll("details:target")) details.open = true;
  if (one("[data-live]")) live(one("[data-live]"));
});
