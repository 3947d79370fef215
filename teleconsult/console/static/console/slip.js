// The slip's code, drawn from the server's modules; printed by the button.
import { $, data } from "./dom.js";
import { qr } from "./qr.js";
import { t } from "./texts.js";

$("#qr").append(qr(data("qr-data"), t("slip.qr")));
$("#print").addEventListener("click", () => window.print());
