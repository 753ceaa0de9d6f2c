package dev.regen.snapshot.layer;

import java.io.IOException;

/** What is wrong with a layer that is being read; becomes a sentence for the user further up. */
public final class BadLayerException extends IOException {
  private static final long serialVersionUID = 1;
  private static final int NAME_SHOWN_MAX = 200;

  BadLayerException(String problem) {
    super(problem);
  }

  BadLayerException(byte[] path, String problem) {
    super(shown(path) + ": " + problem);
  }

  /** A path for people: what is not printable ASCII or valid UTF-8 as {@code \xNN}, cut short. */
  static String shown(byte[] path) {
    if (path.length == 0) {
      return "(no name)";
    }
    String text = new String(path, java.nio.charset.StandardCharsets.UTF_8);
    boolean printable =
        text.codePoints().noneMatch(c -> Character.isISOControl(c) || c == 0xFFFD)
            && path.length <= NAME_SHOWN_MAX;
    return printable ? text : escaped(path);
  }

  private static String escaped(byte[] path) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < Math.min(path.length, NAME_SHOWN_MAX); i++) {
      if (path[i] >= ' ' && path[i] < 0x7F) {
        text.append((char) path[i]);
      } else {
        text.append(String.format("\\x%02x", path[i]));
      }
    }
    return path.length > NAME_SHOWN_MAX ? text.append('…').toString() : text.toString();
  }
}
