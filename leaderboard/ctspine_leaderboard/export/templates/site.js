"use strict";
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // A browser may keep nothing for pages on disk.
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* then not */ } };
  const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  root.dataset.scripted = "";
  if (kept() === "light" || kept() === "dark") root.dataset.theme = kept();

  const draw = () => {
    for (const source of document.querySelectorAll("script[data-figure]")) {
      const { data, layout } = JSON.parse(source.textContent);
      const place = document.getElementById(source.dataset.figure);
      const looks = getComputedStyle(place);
      layout.font.color = looks.color;
      layout.hoverlabel = { ...layout.hoverlabel, bgcolor: looks.getPropertyValue("background-color") };
      layout.hoverlabel.font = { ...layout.hoverlabel.font, color: looks.color };
      Plotly.react(place, data, layout, { responsive: true, displayModeBar: false });
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".theme");
    const name = () => { button.textContent = theme() === "dark" ? "Light theme" : "Dark theme"; };
    const show = (chosen) => { root.dataset.theme = chosen; name(); draw(); };
    button.hidden = false;
    button.addEventListener("click", () => { show(theme() === "dark" ? "light" : "dark"); keep(theme()); });
    dark.addEventListener("change", () => { name(); draw(); });
    let before = "";
    window.addEventListener("beforeprint", () => { before = theme(); show("light"); });
    window.addEventListener("afterprint", () => show(before));
    name();
    draw();
  });
})();
