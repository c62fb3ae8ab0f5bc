// Light or dark: as the system says, until somebody says otherwise.
const root = document.documentElement;

function show(theme) {
  root.dataset.theme = theme;
  document.querySelector("#theme")?.setAttribute("aria-pressed", String(theme === "dark"));
}

export function startThemeSwitch() {
  show(root.dataset.theme);
  document.querySelector("#theme")?.addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", theme);
    show(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (!localStorage.getItem("theme")) show(event.matches ? "dark" : "light");
  });
}
