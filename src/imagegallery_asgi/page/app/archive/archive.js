/** The archive: the library with that filter. */
import { Element, define } from "../core/element.js";
import { navigate } from "../core/router.js";

export default class Archive extends Element {
  static tag = "ig-archive";

  connected() {
    navigate("/?archived=yes", { replace: true });
  }
}

define(Archive);
