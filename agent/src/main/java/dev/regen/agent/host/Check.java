package dev.regen.agent.host;

import dev.regen.runtime.json.JsonObject;
import java.util.Locale;

/**
 * One thing about the host that Regen depends on.
 *
 * @param name what was looked at
 * @param found what is there
 * @param remedy the command or change that mends it; empty where nothing needs to be
 */
public record Check(String name, Verdict verdict, String found, String remedy) {
  /** Whether it fits. */
  public enum Verdict {
    FITS,
    /** Works, but not as well as it could. */
    COULD_BE_BETTER,
    DOES_NOT_FIT;

    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  static Check fits(String name, String found) {
    return new Check(name, Verdict.FITS, found, "");
  }

  static Check better(String name, String found, String remedy) {
    return new Check(name, Verdict.COULD_BE_BETTER, found, remedy);
  }

  static Check wrong(String name, String found, String remedy) {
    return new Check(name, Verdict.DOES_NOT_FIT, found, remedy);
  }

  public JsonObject json() {
    return new JsonObject()
        .with("name", name)
        .with("verdict", verdict.word())
        .with("found", found)
        .with("remedy", remedy);
  }
}
