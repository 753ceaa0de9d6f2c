package dev.regen.agent.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.registry.ContentDigest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * An image that nobody has, in the form of {@code docker save}: layer {@code n} holds the file
 * {@code n} of random bytes.
 *
 * @param id as engines say it: the digest of the configuration
 * @param files the contents of its layers' files
 */
public record TestImage(Path archive, String name, String id, List<byte[]> files) {
  private static final int BLOCK = 512;

  /** Makes one with other files in each layer. */
  public static TestImage make(
      Path directory, Random random, String name, int layers, int layerBytes) throws IOException {
    List<byte[]> files = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      byte[] bytes = new byte[layerBytes];
      random.nextBytes(bytes);
      files.add(bytes);
    }
    return make(directory, random, name, files);
  }

  /** Makes one with these files; images of equal files have equal layers, not equal ids. */
  static TestImage make(Path directory, Random random, String name, List<byte[]> files)
      throws IOException {
    Path archive = directory.resolve(HexFormat.of().toHexDigits(random.nextLong()) + ".tar");
    List<byte[]> layers = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      ByteArrayOutputStream layer = new ByteArrayOutputStream();
      entry(layer, Integer.toString(i), files.get(i));
      end(layer);
      layers.add(layer.toByteArray());
    }
    byte[] config = config(layers, random.nextLong());
    String id = ContentDigest.Algorithm.SHA256.of(config).hex();
    try (OutputStream out = Files.newOutputStream(archive)) {
      entry(out, id + ".json", config);
      List<String> names = new ArrayList<>();
      for (byte[] layer : layers) {
        names.add("l" + names.size() + ".tar");
        entry(out, names.getLast(), layer);
      }
      JsonObject manifest =
          new JsonObject()
              .with("Config", id + ".json")
              .with("RepoTags", List.of(name))
              .with("Layers", names);
      entry(
          out,
          "manifest.json",
          ("[" + new String(manifest.bytes(), StandardCharsets.UTF_8) + "]")
              .getBytes(StandardCharsets.UTF_8));
      end(out);
    }
    return new TestImage(archive, name, "sha256:" + id, files);
  }

  /** As {@code skopeo} names it. */
  String source() {
    return "docker-archive:" + archive;
  }

  private static byte[] config(List<byte[]> layers, long random) {
    List<String> ids =
        layers.stream()
            .map(layer -> "sha256:" + ContentDigest.Algorithm.SHA256.of(layer).hex())
            .toList();
    return new JsonObject()
        .with("architecture", "amd64")
        .with("os", "linux")
        .with(
            "config",
            new JsonObject().with("Cmd", List.of("/0")).with("Env", List.of("RANDOM=" + random)))
        .with("rootfs", new JsonObject().with("type", "layers").with("diff_ids", ids))
        .with(
            "history",
            Stream.generate(() -> new JsonObject().with("created_by", "a test"))
                .limit(layers.size())
                .toList())
        .bytes();
  }

  /** Writes a file of a tar archive. Source: POSIX, "pax", "ustar Interchange Format". */
  private static void entry(OutputStream out, String name, byte[] content) throws IOException {
    byte[] header = new byte[BLOCK];
    put(header, 0, name);
    put(header, 100, "0000644");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, 124, String.format("%011o", content.length));
    put(header, 136, "00000000000");
    put(header, 148, "        ");
    put(header, 156, "0");
    put(header, 257, "ustar");
    put(header, 263, "00");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, String.format("%06o", sum) + "\0 ");
    out.write(header);
    out.write(content);
    out.write(new byte[-content.length & (BLOCK - 1)]);
  }

  private static void end(OutputStream out) throws IOException {
    out.write(new byte[2 * BLOCK]);
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }
}
