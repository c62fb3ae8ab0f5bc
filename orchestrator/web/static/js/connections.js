// The form of a connection shows the fields that its type has, by the words that the type has for them.
function shape(input) {
  const form = input.form;
  const option = [...form.querySelectorAll("#conn-types option")].find((one) => one.value === input.value);
  for (const place of form.querySelectorAll("[data-field]")) {
    const name = place.dataset.field;
    const field = place.querySelector("input");
    const kept = field.value !== "" || place.querySelector("[name=no_password]");
    place.hidden = Boolean(option?.dataset.without.split(" ").includes(name)) && !kept;
    const label = place.querySelector("label[for]");
    label.textContent = option?.dataset[`${name}Label`] ?? name[0].toUpperCase() + name.slice(1);
    if (name === "port") field.placeholder = option?.dataset.port ?? "";
  }
}

export function startConnections() {
  document.addEventListener("input", (event) => {
    if (event.target.matches("form[data-typed] [data-type]")) shape(event.target);
  });
}
