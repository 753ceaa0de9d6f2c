package dev.regen.snapshot.store;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A list of chunks as strings: {@code DIGEST:STORED:TAR}, and {@code *COUNT} after it where the
 * same chunk follows itself (the zeros of a large hole).
 */
public final class ChunkListCodec {
  private static final int NUMBER_DIGITS_MAX = 9;

  private ChunkListCodec() {}

  public static List<String> encode(List<Chunk> chunks) {
    List<String> texts = new ArrayList<>();
    for (int from = 0; from < chunks.size(); ) {
      Chunk chunk = chunks.get(from);
      int to = from + 1;
      while (to < chunks.size() && chunks.get(to).equals(chunk)) {
        to++;
      }
      String text = chunk.digest().hex() + ":" + chunk.storedBytes() + ":" + chunk.tarBytes();
      texts.add(to - from == 1 ? text : text + "*" + (to - from));
      from = to;
    }
    return texts;
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws IOException if a text has another form, or more chunks come out than an archive may
   *     have
   */
  public static List<Chunk> decode(List<String> texts) throws IOException {
    List<Chunk> chunks = new ArrayList<>(texts.size());
    for (String text : texts) {
      int stored = text.indexOf(':');
      int tar = text.indexOf(':', stored + 1);
      int times = text.indexOf('*', tar + 1);
      int end = times < 0 ? text.length() : times;
      if (stored < 0 || tar < 0) {
        throw noChunk(text);
      }
      int count = times < 0 ? 1 : number(text, times + 1, text.length());
      if (count < 1 || count > Archive.CHUNKS_MAX - chunks.size()) {
        throw new IOException("more than " + Archive.CHUNKS_MAX + " chunks");
      }
      Chunk chunk = chunk(text, stored, tar, end);
      for (int i = 0; i < count; i++) {
        chunks.add(chunk);
      }
    }
    return chunks;
  }

  private static Chunk chunk(String text, int stored, int tar, int end) throws IOException {
    Digest digest;
    try {
      digest = new Digest(text.substring(0, stored));
    } catch (IllegalArgumentException e) {
      throw noChunk(text);
    }
    return new Chunk(digest, number(text, stored + 1, tar), number(text, tar + 1, end));
  }

  /** Digits alone: others than {@link #encode} writes are refused. */
  private static int number(String text, int from, int to) throws IOException {
    if (from >= to || to - from > NUMBER_DIGITS_MAX) {
      throw noChunk(text);
    }
    int number = 0;
    for (int i = from; i < to; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw noChunk(text);
      }
      number = 10 * number + digit;
    }
    return number;
  }

  private static IOException noChunk(String text) {
    return new IOException("no chunk: '" + text + "'");
  }
}
