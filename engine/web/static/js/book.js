// The booking form: people to choose from. Everything else is htmx.
import { offerPeople } from "./people.js";

const who = document.getElementById("book-who");
if (who) offerPeople(who, document.getElementById("book-people-found"));
