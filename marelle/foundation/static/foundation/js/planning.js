/* The planning grid, made quicker. Without this file the boxes, the menus and « Vérifier » work and the server computes the difference.
   With it: arrow keys, the list and total at once, a discreet announcement, bulk actions on the spot. keeping.js keeps what is ticked. */
(() => {
  "use strict";
  const grid = document.querySelector(".grid:not(.grid--read)");
  if (!grid) return;
  const boxes = () => [...grid.querySelectorAll('.tile > input[type="checkbox"]')];
  const tile = (box) => box.parentElement;
  const base = (box) => tile(box).dataset.base === "1";

  /* Arrows: accelerators; Tab is left as it is */
  const middle = (box) => { const r = tile(box).getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; };
  const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  grid.addEventListener("keydown", (event) => {
    const from = event.target;
    if (!from.matches?.('input[type="checkbox"]') || event.altKey || event.ctrlKey || event.metaKey) return;
    const list = boxes();
    const way = directions[event.key];
    let to = null;
    if (way) {
      const [dx, dy] = way, here = middle(from);
      to = list.filter((box) => box !== from).map((box) => ({ box, at: middle(box) }))
        .filter(({ at }) => (dx ? (at.x - here.x) * dx > 4 && Math.abs(at.y - here.y) < 30 : (at.y - here.y) * dy > 4 && Math.abs(at.x - here.x) < 30))
        .sort((a, b) => Math.hypot(a.at.x - here.x, a.at.y - here.y) - Math.hypot(b.at.x - here.x, b.at.y - here.y))[0]?.box;
    } else if (event.key === "Home" || event.key === "End") {
      const row = [...from.closest("tr").querySelectorAll(".tile > input")];
      to = event.key === "Home" ? row[0] : row.at(-1);
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      to = event.key === "PageDown" ? list.at(-1) : list[0];
    } else return;
    event.preventDefault();
    if (to) to.focus();
    if (event.shiftKey && to && way && to.checked !== from.checked) to.click();
  });

  /* The difference: prices and words are read in the page */
  const words = document.querySelector("[data-request-words]")?.dataset || {};
  const line = document.getElementById("change-line");
  const shown = Number(words.shown || 8);
  const money = (cents) => (cents > 0 ? "+" : cents < 0 ? "−" : "") + (Math.abs(cents) / 100).toLocaleString("fr-FR", { style: "currency", currency: "EUR" });
  const count = (n, one, many) => (n === 1 ? one : (many || "").replace("{n}", n));
  const live = Object.assign(document.createElement("p"), { className: "vh" });
  live.setAttribute("role", "status");
  document.body.append(live);
  let timer;
  const changes = () => boxes().filter((box) => box.checked !== base(box));
  const say = (element, name, text) => { const at = element.querySelector(`[data-${name}]`); if (at) at.textContent = text; };
  const refresh = (announce) => {
    const list = changes();
    // What the basket holds besides this page (another month, another service) counts in the words, not in the boxes.
    const extra = Number(words.extraAdd || 0) + Number(words.extraDrop || 0), all = list.length + extra;
    const here = list.filter((box) => box.checked).length;
    const added = here + Number(words.extraAdd || 0), dropped = list.length - here + Number(words.extraDrop || 0);
    const priced = list.some((box) => tile(box).dataset.cents);
    const sum = list.reduce((total, box) => total + (box.checked ? 1 : -1) * Number(tile(box).dataset.cents || 0), 0);
    const text = [added && count(added, words.addOne, words.addMany), dropped && count(dropped, words.dropOne, words.dropMany)].filter(Boolean).join(", ") || words.none || "";
    document.querySelectorAll("[data-request-count]").forEach((at) => { at.textContent = text; });
    document.querySelectorAll("[data-request-sum]").forEach((at) => { at.textContent = priced ? money(sum) : ""; });
    document.querySelectorAll("[data-request-some]").forEach((at) => { at.hidden = all === 0; });
    document.querySelectorAll("[data-request-none]").forEach((at) => { at.hidden = all > 0; });
    document.querySelectorAll("dialog[data-unsent]").forEach((dialog) => {
      dialog.dataset.unsent = all;
      const title = dialog.querySelector("[data-unsent-words]");
      title.textContent = count(all, title.dataset.one, title.dataset.many);
    });
    const home = document.querySelector("[data-request-lines]");
    if (home && line) {
      home.replaceChildren(...list.slice(0, shown).map((box) => {
        const item = line.content.cloneNode(true), of = tile(box), cents = Number(of.dataset.cents || 0);
        item.querySelector(box.checked ? "[data-drop]" : "[data-add]").remove();
        say(item, "who", of.dataset.who || "");
        say(item, "day", of.dataset.day || "");
        say(item, "price", of.dataset.cents ? (box.checked ? money(cents).slice(1) : money(-cents)) : "");
        return item;
      }));
      const more = document.querySelector("[data-request-more]");
      if (more) { more.hidden = list.length <= shown; more.textContent = (words.more || "").replace("{n}", list.length - shown); }
    }
    if (announce) { clearTimeout(timer); timer = setTimeout(() => { live.textContent = priced ? `${text}. ${words.total || ""} ${money(sum)}` : text; }, 900); }
  };
  grid.addEventListener("change", () => refresh(true));

  /* Bulk actions on what is shown; those that go past the page are left to the server */
  document.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="do"][data-scope]');
    if (!button) return;
    event.preventDefault();
    let list = boxes();
    if (button.dataset.scope === "col") { const at = button.closest("td").cellIndex + Number(button.dataset.offset || 1); list = list.filter((box) => box.closest("td").cellIndex === at); }
    if (button.dataset.scope === "row") list = [...button.closest("tr").querySelectorAll(".tile > input")];
    if (button.dataset.kid) list = list.filter((box) => tile(box).dataset.kid === button.dataset.kid);
    list.forEach((box) => {
      if (button.dataset.sets === "undo") box.checked = base(box);
      else if (!("alone" in tile(box).dataset)) box.checked = button.dataset.sets === "on";
    });
    const menu = button.closest(".menu");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    refresh(true);
  });

  /* The report of a shortcut is read first; « Imprimer » needs a script */
  document.querySelector("[data-report]")?.focus({ preventScroll: false });
  document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));

  window.addEventListener("pageshow", () => refresh(false));
})();
