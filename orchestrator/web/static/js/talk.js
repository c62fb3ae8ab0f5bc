// What is sent begins as something of the shape that the chosen signal, query or update takes.
document.addEventListener("change", (event) => {
  const select = event.target.closest(".talk select");
  if (!select) return;
  const value = select.form.elements.namedItem("value");
  const examples = [...select.options].map((option) => option.dataset.example);
  if (value.value.trim() === "" || examples.includes(value.value.trim())) value.value = select.selectedOptions[0].dataset.example;
});
