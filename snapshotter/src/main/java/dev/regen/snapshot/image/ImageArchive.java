package dev.regen.snapshot.image;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * An image as {@code docker load} reads it, of any version since 1.10 and with either store: {@code
 * manifest.json} for the one, an OCI layout for the other, over the same files.
 */
final class ImageArchive {
  private static final String OCI = "application/vnd.oci.image.";

  private final ImageContent content;
  private final Map<Digest, StoredLayer> layers;
  private final Map<Digest, byte[]> documents;
  private final Digest top;

  /** Opens a layer's bytes. */
  interface Layers {
    InputStream open(StoredLayer layer) throws IOException;
  }

  /**
   * @param layers all of {@code content}
   */
  ImageArchive(ImageContent content, Map<Digest, StoredLayer> layers) {
    this.content = content;
    this.layers = layers;
    this.documents = new LinkedHashMap<>(content.documents());
    if (content.main().manifest() == null) {
      byte[] manifest = manifest();
      top = Digest.of(ByteBuffer.wrap(manifest));
      documents.put(top, manifest);
    } else {
      top = content.id();
    }
  }

  Map<Digest, StoredLayer> layers() {
    return layers;
  }

  /** What an engine may call the image: one whose store is of another kind gives another id. */
  List<Digest> ids() {
    Set<Digest> ids = new LinkedHashSet<>(List.of(content.id(), content.main().config()));
    ids.add(top);
    return List.copyOf(ids);
  }

  /**
   * The archive, made while it is read.
   *
   * @param left layers whose bytes the engine has, and which are left out
   */
  InputStream stream(Set<Digest> left, Layers open) {
    List<Part> parts = new ArrayList<>();
    document(parts, "oci-layout", json(new JsonObject().with("imageLayoutVersion", "1.0.0")));
    documents.forEach((digest, bytes) -> document(parts, path(digest), bytes));
    for (String hex : new TreeSet<>(layers.keySet().stream().map(Digest::hex).toList())) {
      Digest digest = new Digest(hex);
      StoredLayer layer = layers.get(digest);
      if (layer != null && !left.contains(digest)) {
        parts.add(bytes(TarOut.header(path(digest), layer.sizeBytes())));
        parts.add(() -> open.open(layer));
        parts.add(bytes(TarOut.padding(layer.sizeBytes())));
      }
    }
    document(parts, "index.json", index());
    document(parts, "manifest.json", legacy());
    parts.add(bytes(TarOut.END));
    return new Parts(parts);
  }

  /** A manifest for an image that has none: an engine with containerd's store wants one. */
  private byte[] manifest() {
    List<JsonObject> list = new ArrayList<>();
    for (Digest digest : content.main().layers()) {
      StoredLayer layer = layers.get(digest);
      list.add(descriptor("layer.v1.tar", digest, layer == null ? 0 : layer.sizeBytes()));
    }
    Digest config = content.main().config();
    return json(
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", OCI + "manifest.v1+json")
            .with("config", descriptor("config.v1+json", config, length(config)))
            .with("layers", list));
  }

  private byte[] index() {
    JsonObject named = descriptor("manifest.v1+json", top, length(top));
    String type = mediaType();
    return json(
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", OCI + "index.v1+json")
            .with("manifests", List.of(type == null ? named : named.with("mediaType", type))));
  }

  private @Nullable String mediaType() {
    try {
      JsonObject json = JsonObject.parse(documents.getOrDefault(top, new byte[0]));
      String stated = json.stringOrNull("mediaType");
      return stated != null || !json.has("manifests") ? stated : OCI + "index.v1+json";
    } catch (IOException e) {
      return null;
    }
  }

  private byte[] legacy() {
    JsonObject image =
        new JsonObject()
            .with("Config", path(content.main().config()))
            .with("RepoTags", null)
            .with("Layers", content.main().layers().stream().map(ImageArchive::path).toList());
    return ("[" + image + "]").getBytes(StandardCharsets.UTF_8);
  }

  private static JsonObject descriptor(String type, Digest digest, long sizeBytes) {
    return new JsonObject()
        .with("mediaType", OCI + type)
        .with("digest", digest.toString())
        .with("size", sizeBytes);
  }

  private long length(Digest document) {
    return documents.getOrDefault(document, new byte[0]).length;
  }

  private static byte[] json(JsonObject json) {
    return json.bytes();
  }

  private static String path(Digest digest) {
    return "blobs/sha256/" + digest.hex();
  }

  private static void document(List<Part> parts, String name, byte[] bytes) {
    parts.add(bytes(TarOut.header(name, bytes.length)));
    parts.add(bytes(bytes));
    parts.add(bytes(TarOut.padding(bytes.length)));
  }

  private static Part bytes(byte[] bytes) {
    return () -> new ByteArrayInputStream(bytes);
  }

  private interface Part {
    InputStream open() throws IOException;
  }

  /** One after the other, each opened when the one before has ended. */
  private static final class Parts extends InputStream {
    private final List<Part> parts;
    private int at;
    private @Nullable InputStream open;

    Parts(List<Part> parts) {
      this.parts = parts;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      while (length > 0 && (open != null || at < parts.size())) {
        InputStream part = open == null ? parts.get(at++).open() : open;
        open = part;
        int count = part.read(into, offset, length);
        if (count > 0) {
          return count;
        }
        close();
      }
      return length == 0 ? 0 : -1;
    }

    @Override
    public void close() throws IOException {
      InputStream part = open;
      open = null;
      if (part != null) {
        part.close();
      }
    }
  }
}
