// A measurement as people read it, on the console, in the report and nowhere else in other words.
import { t } from "./texts.js";

const mm = (value) => Number(value).toFixed(1);

// row: {kind, values, value_mm} -> text; values are the server's, in mm, cm2 and ml
export function measured({ kind = "distance", values = {}, value_mm: valueMm }) {
  if (kind === "ellipse") {
    return t("measure.ellipse", {
      a: mm(values.axis1_mm), b: mm(values.axis2_mm), around: mm(values.circumference_mm), area: Number(values.area_cm2).toFixed(2),
    });
  }
  if (kind === "volume") {
    return t("measure.volume", { a: mm(values.axis1_mm), b: mm(values.axis2_mm), c: mm(values.axis3_mm), ml: mm(values.volume_ml) });
  }
  return `${mm(values.distance_mm ?? valueMm)} mm`;
}
