/* Comfort on top of pages that work without it. Words come from the page (data-*), never from here. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* Menus: one open at a time, Escape and a click outside close it */
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (menu.matches?.(".menu") && menu.open) all(".menu[open]").forEach((other) => { if (other !== menu) other.open = false; });
  }, true);
  document.addEventListener("click", (event) => all(".menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  /* Dialogs: a link to the page that does the same opens them */
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog?.showModal) { event.preventDefault(); dialog.showModal(); return; }
    const closer = event.target.closest("[data-close]");
    if (closer) { event.preventDefault(); closer.closest("dialog")?.close(); }
    if (event.target.closest("[data-print]")) window.print();
  });

  /* Signing out with choices not sent is asked first. What this device kept of them belongs to who signs out. */
  document.addEventListener("submit", (event) => {
    const form = event.target, dialog = document.getElementById(form.dataset.leaving);
    if (event.defaultPrevented) return;
    if (dialog?.showModal && Number(dialog.dataset.unsent)) { event.preventDefault(); dialog.showModal(); return; }
    if (!("leaving" in form.dataset || "leaves" in form.dataset)) return;
    try { Object.keys(localStorage).filter((key) => key.startsWith("marelle.choix.")).forEach((key) => localStorage.removeItem(key)); } catch { /* nothing is kept here */ }
  });

  /* The narrow bars bring their current entry into sight; an error summary takes the focus */
  all(".side nav, .subtabs, .dividers").forEach((bar) => {
    const current = bar.querySelector("[aria-current]");
    if (current && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = current.offsetLeft - (bar.clientWidth - current.offsetWidth) / 2;
  });
  document.querySelector("[data-focus]")?.focus();

  /* A second click on a button that sends does nothing (the server would answer the same) */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => { delete form.dataset.sent; form.removeAttribute("aria-busy"); }));

  /* What need not be pressed for: sent when the page shows, then hidden; a button does it without script */
  all("form[data-quiet]").forEach((form) => {
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" })
      .then(() => { form.hidden = true; }, () => {});
  });

  /* Password: show and hide, length in words */
  all("[data-show]").forEach((button) => {
    const input = document.getElementById(button.dataset.show);
    const word = button.querySelector("[data-word]");
    if (!input) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      word.textContent = shown ? button.dataset.hideWord : button.dataset.showWord;
      input.focus();
    });
  });
  all("[data-meter]").forEach((meter) => {
    const input = document.getElementById(meter.dataset.meter);
    const bar = meter.querySelector("progress");
    const out = meter.querySelector("[data-out]");
    const least = Number(meter.dataset.least || 12);
    let wait;
    if (!input) return;
    meter.hidden = false;
    input.addEventListener("input", () => {
      const length = [...input.value].length, left = least - length;
      bar.value = Math.min(length, least);
      clearTimeout(wait);
      wait = setTimeout(() => {
        out.textContent = !length ? "" : left > 1 ? meter.dataset.many.replace("{n}", left) : left === 1 ? meter.dataset.one : meter.dataset.enough;
      }, 500);
    });
  });

  /* Agents' keys: never inside a field, off when the account says so */
  const rows = () => all("[data-row] a");
  document.addEventListener("keydown", (event) => {
    const search = document.getElementById("q");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && search) { event.preventDefault(); search.focus(); return; }
    if (event.ctrlKey || event.altKey || event.metaKey || document.documentElement.dataset.keys !== "on") return;
    if (event.target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea") || document.querySelector("dialog[open]")) return;
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); return; }
    if (event.key === "j" || event.key === "k") {
      const list = rows(), here = list.indexOf(document.activeElement.closest?.("[data-row]")?.querySelector("a"));
      const next = list[event.key === "j" ? Math.min(here + 1, list.length - 1) : Math.max(here - 1, 0)];
      if (next) { event.preventDefault(); next.focus(); }
      return;
    }
    const wanted = event.shiftKey ? `shift+${event.key.toLowerCase()}` : event.key.toLowerCase();
    const target = all("[data-key]").find((element) => element.dataset.key === wanted);
    if (target) { event.preventDefault(); target.click(); target.focus?.(); }
  });

  /* htmx: say that the region is busy, and put the focus where the server asks */
  document.addEventListener("htmx:beforeRequest", (event) => event.detail.target?.setAttribute("aria-busy", "true"));
  document.addEventListener("htmx:afterRequest", (event) => event.detail.target?.removeAttribute("aria-busy"));
})();
