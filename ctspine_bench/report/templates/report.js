"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // What a dark page needs lighter, and the pale ends of colour scales darker.
  const onDark = [
    ["#0072B2", "#56B4E9"], ["rgba(0,114,178", "rgba(86,180,233"],
    ["#D55E00", "#F08A3C"], ["rgba(213,94,0", "rgba(240,138,60"],
    ["#cfe3f1", "#1c3850"], ["#fbe0cc", "#4b2a12"],
  ];
  const charts = [...document.querySelectorAll("script[data-chart]")];
  const paint = (isDark) => charts.forEach((element) => {
    const json = isDark
      ? onDark.reduce((text, [from, to]) => text.replaceAll(from, to), element.textContent)
      : element.textContent;
    const { data, layout } = JSON.parse(json);
    layout.font.color = isDark ? "#c3c9d1" : "#454c55";
    layout.hoverlabel = { bgcolor: isDark ? "#262c34" : "#ffffff", font: { color: isDark ? "#e6e9ed" : "#1c2127" } };
    Plotly.react(element.dataset.chart, data, layout, { responsive: true, displayModeBar: false });
  });
  paint(dark.matches);
  dark.addEventListener("change", () => paint(dark.matches));
  window.addEventListener("beforeprint", () => paint(false));
  window.addEventListener("afterprint", () => paint(dark.matches));
})();
