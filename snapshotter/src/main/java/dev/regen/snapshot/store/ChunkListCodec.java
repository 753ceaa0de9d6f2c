package dev.regen.snapshot.store;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A list of chunks as strings: {@code DIGEST:STORED:TAR}, and {@code *COUNT} after it where the
 * same chunk follows itself (the zeros of a large hole).
 */
public final class ChunkListCodec {
  private static final Pattern FORM =
      Pattern.compile("([0-9a-f]{64}):([0-9]{1,9}):([0-9]{1,9})(?:\\*([0-9]{1,9}))?");

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
      Matcher parts = FORM.matcher(text);
      if (!parts.matches()) {
        throw new IOException("no chunk: '" + text + "'");
      }
      int count = parts.group(4) == null ? 1 : Integer.parseInt(parts.group(4));
      if (count < 1 || count > Archive.CHUNKS_MAX - chunks.size()) {
        throw new IOException("more than " + Archive.CHUNKS_MAX + " chunks");
      }
      Chunk chunk =
          new Chunk(
              new Digest(parts.group(1)),
              Integer.parseInt(parts.group(2)),
              Integer.parseInt(parts.group(3)));
      for (int i = 0; i < count; i++) {
        chunks.add(chunk);
      }
    }
    return chunks;
  }
}
