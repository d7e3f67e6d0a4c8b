// The page of a file: what it shows stands in it.

import { show } from "./main.js";

show(JSON.parse(document.getElementById("data").textContent));
