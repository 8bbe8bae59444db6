// Choosing a day in the bar goes there at once.
document.getElementById("day")?.addEventListener("change", (event) => {
  if (event.target.value) event.target.form.requestSubmit();
});
