"use strict";
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // A browser may keep nothing for pages on disk.
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* then not */ } };
  const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  if (kept() === "light" || kept() === "dark") root.dataset.theme = kept();

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".theme");
    const other = () => (theme() === "dark" ? "light" : "dark");
    const name = () => { button.textContent = other() === "dark" ? "Dark theme" : "Light theme"; };
    button.hidden = false;
    button.addEventListener("click", () => { root.dataset.theme = other(); keep(root.dataset.theme); name(); });
    dark.addEventListener("change", name);
    name();
    for (const element of document.querySelectorAll("script[data-figure]")) {
      const { data, layout } = JSON.parse(element.textContent);
      Plotly.newPlot(element.dataset.figure, data, layout, { responsive: true, displayModeBar: false });
    }
  });
})();
