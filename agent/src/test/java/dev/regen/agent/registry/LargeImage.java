package dev.regen.agent.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.registry.ContentDigest;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * An image of one large layer that nobody has, as an OCI layout of the tag {@code 1}. The layer is
 * gzip that compresses nothing, which clients send as it is; it is no archive.
 *
 * @param layer where its blob is
 */
record LargeImage(Path layout, Path layer, ContentDigest digest) {
  private static final int PIECE_BYTES = 1 << 20;

  /** Makes one; {@code layout} is not there yet. */
  static LargeImage make(Path layout, Random random, long bytes) throws IOException {
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    Path written = blobs.resolve("new");
    var hasher = ContentDigest.Algorithm.SHA256.hasher();
    try (OutputStream out =
        new Stored(new DigestOutputStream(Files.newOutputStream(written), hasher))) {
      byte[] piece = new byte[PIECE_BYTES];
      for (long left = bytes; left > 0; left -= piece.length) {
        random.nextBytes(piece);
        out.write(piece, 0, (int) Math.min(left, piece.length));
      }
    }
    ContentDigest digest = ContentDigest.Algorithm.SHA256.of(hasher);
    Path layer = Files.move(written, blobs.resolve(digest.hex()));
    JsonObject config =
        blob(
            blobs,
            "config",
            new JsonObject()
                .with("architecture", "amd64")
                .with("os", "linux")
                .with(
                    "rootfs",
                    new JsonObject()
                        .with("type", "layers")
                        .with("diff_ids", List.of(digest.toString()))));
    JsonObject manifest =
        blob(
            blobs,
            "manifest",
            new JsonObject()
                .with("schemaVersion", 2)
                .with("config", config)
                .with(
                    "layers",
                    List.of(
                        new JsonObject()
                            .with("mediaType", "application/vnd.oci.image.layer.v1.tar+gzip")
                            .with("digest", digest.toString())
                            .with("size", Files.size(layer)))));
    manifest.with("annotations", new JsonObject().with("org.opencontainers.image.ref.name", "1"));
    Files.write(
        layout.resolve("index.json"),
        new JsonObject().with("schemaVersion", 2).with("manifests", List.of(manifest)).bytes());
    Files.writeString(
        layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}", StandardCharsets.UTF_8);
    return new LargeImage(layout, layer, digest);
  }

  /** As {@code skopeo} names it. */
  String source() {
    return "oci:" + layout + ":1";
  }

  /** The digests of a layout's blobs. */
  static List<String> blobs(Path layout) throws IOException {
    try (var files = Files.list(layout.resolve("blobs/sha256"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static JsonObject blob(Path blobs, String type, JsonObject json) throws IOException {
    byte[] bytes = json.bytes();
    ContentDigest digest = ContentDigest.Algorithm.SHA256.of(bytes);
    Files.write(blobs.resolve(digest.hex()), bytes);
    return new JsonObject()
        .with("mediaType", "application/vnd.oci.image." + type + ".v1+json")
        .with("digest", digest.toString())
        .with("size", bytes.length);
  }

  private static final class Stored extends GZIPOutputStream {
    Stored(OutputStream out) throws IOException {
      super(out, PIECE_BYTES);
      def.setLevel(Deflater.NO_COMPRESSION);
    }
  }
}
