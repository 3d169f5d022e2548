/* Comfort on the queue; it all works without. J, K and / are interface.js's. Words come from the page (data-*). */
(() => {
  "use strict";
  const list = document.getElementById("liste");
  const detail = document.getElementById("detail");

  /* How many are ticked, on the bar and its button */
  const picked = list?.querySelector("[data-picked]");
  const accept = list?.querySelector("[data-accept]");
  const say = (element, n) => { element.textContent = (n === 1 ? element.dataset.one : element.dataset.many).replace("{n}", String(n)); };
  const count = () => {
    const n = list.querySelectorAll(".box input:checked").length;
    if (n && picked) { say(picked, n); say(accept, n); }
  };
  if (list) { list.addEventListener("change", count); window.addEventListener("pageshow", count); }

  /* Tell the other agents that this request is open here; nobody has to press for it */
  const hold = document.querySelector("[data-hold]");
  if (hold) {
    fetch(hold.action, { method: "POST", body: new URLSearchParams(new FormData(hold)), redirect: "manual" })
      .then(() => { hold.hidden = true; }, () => {});
  }

  /* Letters: never inside a field, off when the session says so */
  const typing = (target) => target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (document.documentElement.dataset.keys !== "on" || typing(event.target) || document.querySelector("dialog[open]")) return;
    const row = event.target.closest?.("[data-row]");
    const link = row?.querySelector("a");
    const elsewhere = row && !link.hasAttribute("aria-current");
    const key = event.key.toLowerCase();
    if (key === " " && row && !event.target.matches("input, button")) {
      const box = row.querySelector(".box input");
      if (box) { event.preventDefault(); box.click(); }
    } else if (key === "?") {
      event.preventDefault();
      document.querySelector("[data-help]")?.click();
    } else if ((key === "a" || key === "r") && !event.shiftKey) {
      /* Only what is open is answered: on another row, the letter opens it first */
      if (elsewhere) { event.preventDefault(); link.click(); return; }
      if (key === "a") { const button = detail?.querySelector("[data-accept-all]"); if (button) { event.preventDefault(); button.click(); } return; }
      const reason = document.getElementById("motif");
      if (reason) { event.preventDefault(); reason.focus(); reason.scrollIntoView({ block: "center" }); }
    }
  });

  /* After an answer, the next request has the focus */
  if (location.hash === "#detail" && !document.querySelector("[data-focus]")) detail?.focus({ preventScroll: true });
})();
