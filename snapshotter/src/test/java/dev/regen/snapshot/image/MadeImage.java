package dev.regen.snapshot.image;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;

/** An image as one of the engines that there are would save it. Layers are any bytes. */
public final class MadeImage implements LocalImage {
  /** Which engine. */
  public enum By {
    DOCKER_20,
    DOCKER_28,
    CONTAINERD
  }

  final List<byte[]> layers;
  final List<Digest> blobs = new ArrayList<>();
  private final Map<String, byte[]> files = new TreeMap<>();
  private final List<Digest> diffIds = new ArrayList<>();
  private final Digest id;
  int saved;

  public MadeImage(By by, String comment, List<byte[]> layers) {
    this.layers = layers;
    layers.forEach(layer -> diffIds.add(Digest.of(ByteBuffer.wrap(layer))));
    byte[] config = config(comment, diffIds);
    Digest configId = Digest.of(ByteBuffer.wrap(config));
    switch (by) {
      case DOCKER_20 -> {
        id = configId;
        files.put(id.hex() + ".json", config);
        for (int i = 0; i < layers.size(); i++) {
          String directory = Digest.of(ByteBuffer.wrap(text(comment + i))).hex();
          files.put(directory + "/VERSION", text("1.0"));
          files.put(directory + "/json", text("{\"id\":\"" + directory + "\"}"));
          files.put(directory + "/layer.tar", layers.get(i));
          blobs.add(diffIds.get(i));
        }
      }
      case DOCKER_28 -> {
        id = configId;
        blob(config);
        layers.forEach(layer -> blobs.add(blob(layer)));
        blob(text("{\"schemaVersion\":2,\"layers\":[]}"));
      }
      case CONTAINERD -> {
        blob(config);
        List<JsonObject> descriptors = new ArrayList<>();
        for (byte[] layer : layers) {
          byte[] packed = gzip(layer);
          blobs.add(blob(packed));
          descriptors.add(
              descriptor(blobs.getLast(), packed.length)
                  .with("mediaType", "application/vnd.docker.image.rootfs.diff.tar.gzip"));
        }
        JsonObject manifest =
            new JsonObject()
                .with("schemaVersion", 2)
                .with("config", descriptor(configId, config.length))
                .with("layers", descriptors);
        id = blob(manifest.bytes());
      }
      default -> throw new IllegalStateException();
    }
    files.put("manifest.json", text("[]"));
  }

  /** Random bytes that begin as no document does. */
  public static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    bytes[0] = 0;
    return bytes;
  }

  static byte[] config(String comment, List<Digest> diffIds) {
    return new JsonObject()
        .with("comment", comment)
        .with(
            "rootfs",
            new JsonObject()
                .with("type", "layers")
                .with("diff_ids", diffIds.stream().map(Digest::toString).toList()))
        .bytes();
  }

  @Override
  public Digest id() {
    return id;
  }

  @Override
  public List<Digest> diffIds() {
    return diffIds;
  }

  @Override
  public long sizeBytes() {
    return layers.stream().mapToLong(layer -> layer.length).sum();
  }

  @Override
  public InputStream save() throws IOException {
    saved++;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      out.writeBytes(TarOut.header(file.getKey(), file.getValue().length));
      out.writeBytes(file.getValue());
      out.writeBytes(TarOut.padding(file.getValue().length));
    }
    out.writeBytes(TarOut.END);
    return new ByteArrayInputStream(out.toByteArray());
  }

  /** What the engine would have of each of {@link #blobs}. */
  byte[] blobBytes(int layer) {
    return files.getOrDefault("blobs/sha256/" + blobs.get(layer).hex(), layers.get(layer));
  }

  private Digest blob(byte[] bytes) {
    Digest digest = Digest.of(ByteBuffer.wrap(bytes));
    files.put("blobs/sha256/" + digest.hex(), bytes);
    return digest;
  }

  private static JsonObject descriptor(Digest digest, long size) {
    return new JsonObject().with("digest", digest.toString()).with("size", size);
  }

  private static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
