package dev.regen.snapshot.transfer;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A manifest on its way: compressed, in parts of at most a chunk's length each.
 *
 * @param bytes its length as it stands on a disk
 * @param parts where its parts are, in order
 */
record PackedManifest(int bytes, List<Part> parts) {
  private static final int LEVEL = 3;

  /** About 400,000 chunks; who fetches has to read it into a small heap. */
  static final int BYTES_MAX = 32 << 20;

  private static final int PARTS_MAX = BYTES_MAX / Chunk.TAR_BYTES_MAX + 1;

  private static final int TAG_CHARACTERS = 16;

  /** One part. */
  record Part(Digest digest, int sizeBytes) {}

  /** What a manifest becomes. */
  record Packed(PackedManifest manifest, List<byte[]> parts) {}

  PackedManifest {
    parts = List.copyOf(parts);
    if (bytes < 1 || bytes > BYTES_MAX) {
      throw new IllegalArgumentException("a manifest of " + bytes + " bytes");
    }
    if (parts.isEmpty() || parts.size() > PARTS_MAX) {
      throw new IllegalArgumentException("a manifest in " + parts.size() + " parts");
    }
  }

  /**
   * @throws RegenException.Refused if it is longer than {@link #BYTES_MAX}
   */
  static Packed pack(byte[] manifest) throws RegenException {
    if (manifest.length > BYTES_MAX) {
      throw new RegenException.Refused(
          "a snapshot whose manifest takes more than " + BYTES_MAX + " bytes cannot be pushed");
    }
    byte[] packed = Zstd.compress(manifest, LEVEL);
    List<byte[]> bytes = new ArrayList<>();
    List<Part> parts = new ArrayList<>();
    for (int from = 0; from < packed.length; from += Chunk.TAR_BYTES_MAX) {
      byte[] part =
          Arrays.copyOfRange(packed, from, Math.min(packed.length, from + Chunk.TAR_BYTES_MAX));
      bytes.add(part);
      parts.add(new Part(Digest.of(ByteBuffer.wrap(part)), part.length));
    }
    return new Packed(new PackedManifest(manifest.length, parts), bytes);
  }

  /**
   * Fetches the manifest.
   *
   * @throws RegenException.Damaged if its parts are not what they should be
   */
  byte[] fetch(RemoteStore store) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    for (Part part : parts) {
      packed.writeBytes(store.get(part.digest(), part.sizeBytes()));
    }
    return unpacked(packed.toByteArray());
  }

  private byte[] unpacked(byte[] packed) throws RegenException {
    byte[] manifest = new byte[bytes];
    long length;
    try {
      length = Zstd.decompress(manifest, packed);
    } catch (ZstdException e) {
      throw wrong();
    }
    if (Zstd.isError(length) || length != bytes) {
      throw wrong();
    }
    return manifest;
  }

  private static RegenException wrong() {
    return new RegenException.Damaged("the store's manifest does not unpack to its length");
  }

  /** What manifests are told apart by: 16 hexadecimal digits. */
  String tag() {
    StringBuilder all = new StringBuilder();
    parts.forEach(part -> all.append(part.digest().hex()));
    byte[] bytesOfAll = all.toString().getBytes(StandardCharsets.US_ASCII);
    return Digest.of(ByteBuffer.wrap(bytesOfAll)).hex().substring(0, TAG_CHARACTERS);
  }

  JsonObject json() {
    List<JsonObject> list = new ArrayList<>();
    for (Part part : parts) {
      list.add(new JsonObject().with("digest", part.digest().hex()).with("size", part.sizeBytes()));
    }
    return new JsonObject().with("bytes", bytes).with("parts", list);
  }

  static PackedManifest of(JsonObject json) throws IOException {
    List<Part> parts = new ArrayList<>();
    for (JsonObject part : json.objects("parts")) {
      int size = Math.toIntExact(part.number("size"));
      if (size < 1 || size > Chunk.STORED_BYTES_MAX) {
        throw new IOException("a part of " + size + " bytes");
      }
      parts.add(new Part(new Digest(part.string("digest")), size));
    }
    return new PackedManifest(Math.toIntExact(json.number("bytes")), parts);
  }
}
