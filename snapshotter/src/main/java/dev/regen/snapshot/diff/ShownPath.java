package dev.regen.snapshot.diff;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Paths as text, one line each and back again without loss: from the container's root, a backslash
 * as {@code \\}, and as {@code \xHH} each byte that is not UTF-8 and each byte of a character that
 * controls a terminal, a line's end or the direction of writing.
 */
public final class ShownPath {
  private ShownPath() {}

  /**
   * The text of a path.
   *
   * @param path relative to the root, which is empty itself
   */
  public static String of(byte[] path) {
    StringBuilder text = new StringBuilder(path.length + 1).append('/');
    for (int at = 0; at < path.length; ) {
      int length = lengthOfCharacter(path, at);
      if (length == 0) {
        escape(path, at, 1, text);
        at++;
      } else {
        String character = new String(path, at, length, StandardCharsets.UTF_8);
        append(character, path, at, length, text);
        at += length;
      }
    }
    return text.toString();
  }

  private static void append(
      String character, byte[] path, int at, int length, StringBuilder text) {
    if (character.equals("\\")) {
      text.append("\\\\");
      return;
    }
    switch (Character.getType(character.codePointAt(0))) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          escape(path, at, length, text);
      default -> text.append(character);
    }
  }

  private static void escape(byte[] path, int at, int length, StringBuilder text) {
    for (int i = at; i < at + length; i++) {
      text.append(String.format("\\x%02x", path[i]));
    }
  }

  /** The bytes of the UTF-8 character there, 0 if it is none. */
  private static int lengthOfCharacter(byte[] path, int at) {
    int first = path[at] & 0xFF;
    int length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length <= 1) {
      return length;
    }
    if (at + length > path.length) {
      return 0;
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(path, at, length));
      return length;
    } catch (CharacterCodingException e) {
      return 0;
    }
  }
}
