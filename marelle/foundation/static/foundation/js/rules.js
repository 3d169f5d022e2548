/* Days that do not go together are said as they are ticked, in the server's own words. Without this file they are said
   when the choices are kept, and again by « Vérifier ». keeping.js alone sends the boxes: this asks it to, then asks what
   the basket holds. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-rules]");
  const home = document.getElementById("regles");
  if (!form || !home) return;
  let timer, asked = 0;
  const mark = () => {
    const found = new Set([...home.querySelectorAll("[data-clash-of]")].map((item) => item.dataset.clashOf));
    form.querySelectorAll('.tile > input[type="checkbox"]').forEach((box) => {
      const clash = found.has(box.value);
      box.parentElement.toggleAttribute("data-clash", clash);
      const ids = (box.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && !id.startsWith("regle-"));
      if (clash) ids.push(`regle-${box.value}`);
      if (ids.length) box.setAttribute("aria-describedby", ids.join(" ")); else box.removeAttribute("aria-describedby");
    });
  };
  const look = async () => {
    const mine = ++asked, data = new FormData(form);
    ["seen", "want"].forEach((name) => data.delete(name));
    data.append("do", "look");
    try {
      const answer = await fetch(form.dataset.rules, { method: "POST", body: data, redirect: "error", signal: AbortSignal.timeout(8000) });
      if (!answer.ok || mine !== asked) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      home.replaceChildren(...page.body.childNodes);
      mark();
    } catch { /* the page stays as it is: « Vérifier » says the same */ }
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(() => form.dispatchEvent(new Event("keep")), 500); };
  form.addEventListener("kept", look);
  form.addEventListener("change", (event) => { if (event.target.closest(".tile")) soon(); });
  document.addEventListener("click", (event) => { if (event.target.closest('button[name="do"][data-scope]')) soon(); });
})();
