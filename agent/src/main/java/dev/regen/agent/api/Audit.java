package dev.regen.agent.api;

import dev.regen.runtime.json.JsonObject;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Keeps who did what, and who was refused. */
@FunctionalInterface
public interface Audit {
  /**
   * One thing that somebody asked for. It has nothing of a request's body, which may hold secrets.
   *
   * @param who null if nobody knows
   * @param operation null if there is no such operation
   * @param parts what stood in the path
   * @param status as HTTP has it
   * @param job what was begun; null for nothing
   * @param remote where it came from; "" for this host
   */
  record Entry(
      @Nullable Principal who,
      @Nullable String operation,
      Map<String, String> parts,
      int status,
      @Nullable String job,
      String remote) {
    private static final int TEXT_MAX = 255;

    public Entry {
      parts = Map.copyOf(parts);
    }

    JsonObject json() {
      JsonObject named = new JsonObject();
      parts.keySet().stream().sorted().forEach(name -> named.with(name, cut(parts.get(name))));
      return new JsonObject()
          .with("principal", who == null ? null : who.name())
          .with("role", who == null ? null : who.role().word())
          .with("operation", operation)
          .with("parts", named)
          .with("status", status)
          .with("job", job)
          .with("remote", remote.isEmpty() ? null : remote);
    }

    /** What it was about, in one line. */
    public String target() {
      return parts.keySet().stream()
          .sorted()
          .map(name -> cut(parts.get(name)))
          .collect(Collectors.joining(" "));
    }

    private static String cut(@Nullable String text) {
      // A token that somebody took for a name.
      String shown =
          String.valueOf(text).replaceAll("\\p{Cntrl}", "?").replaceAll("rgn_.*", "rgn_…");
      return shown.length() > TEXT_MAX ? shown.substring(0, TEXT_MAX) : shown;
    }
  }

  /** Does not fail; what cannot be kept goes to the log. */
  void record(Entry entry);

  /** Keeps nothing. */
  static Audit none() {
    return _ -> {};
  }
}
