package dev.regen.snapshot.image;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an image is made of, as its own documents say, each of which was compared with its digest.
 *
 * <p>An image is named by the digest of one document: with overlay2 and the like its configuration,
 * whose layers are plain tars; with containerd's store a manifest, or an index of several, whose
 * layers are what it says, packed or not. Documents of an index that are not here (other platforms)
 * are left out.
 */
public final class ImageContent {
  public static final int LAYERS_MAX = 1_000;
  public static final int DOCUMENT_BYTES_MAX = 4 << 20;
  private static final int DOCUMENTS_MAX = 100;
  private static final int DOCUMENTS_BYTES_MAX = 16 << 20;

  private final Digest id;
  private final Map<Digest, byte[]> documents = new TreeMap<>(Comparator.comparing(Digest::hex));
  private final Set<Digest> layers = new LinkedHashSet<>();
  private @Nullable Main main;

  /**
   * The part that a container runs on.
   *
   * @param config the digest of the configuration
   * @param manifest of the manifest; null where there is none
   * @param layers lowest first; one may stand there twice
   * @param diffIds of these, as plain tars
   */
  public record Main(
      Digest config, @Nullable Digest manifest, List<Digest> layers, List<Digest> diffIds) {
    public Main {
      layers = List.copyOf(layers);
      diffIds = List.copyOf(diffIds);
    }
  }

  private ImageContent(Digest id) {
    this.id = id;
  }

  /**
   * Reads an image's documents, beginning with the one that names it.
   *
   * @param given documents by their digests, which are not believed; more may be there
   * @throws IOException if one is missing, has other bytes, or says what no image may
   */
  public static ImageContent of(Digest id, Map<Digest, byte[]> given) throws IOException {
    ImageContent content = new ImageContent(id);
    try {
      content.read(id, given, 0);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException("the image's documents are not in order: " + e.getMessage(), e);
    }
    if (content.main == null) {
      throw new IOException("no layers to run a container on are named by it");
    }
    return content;
  }

  public Digest id() {
    return id;
  }

  /** Its documents by their digests, in the order of these. */
  public Map<Digest, byte[]> documents() {
    return new LinkedHashMap<>(documents);
  }

  /** Each layer once; those of everything that an index names. */
  public Set<Digest> layers() {
    return Set.copyOf(layers);
  }

  public Main main() {
    if (main == null) {
      throw new IllegalStateException("not read yet");
    }
    return main;
  }

  private void read(Digest digest, Map<Digest, byte[]> given, int depth) throws IOException {
    JsonObject json = document(digest, given);
    if (json.has("rootfs")) {
      List<Digest> diffIds = diffIds(json);
      take(new Main(digest, null, diffIds, diffIds));
      addLayers(diffIds);
    } else if (json.has("manifests") && depth == 0) {
      for (JsonObject one : json.objects("manifests")) {
        Digest manifest = Digest.parse(one.string("digest"));
        if (given.containsKey(manifest)) {
          read(manifest, given, depth + 1);
        }
      }
    } else if (json.has("layers") && json.has("config")) {
      manifest(digest, json, given);
    } else {
      throw new IOException(digest + " is no image's document");
    }
  }

  private void manifest(Digest digest, JsonObject json, Map<Digest, byte[]> given)
      throws IOException {
    List<Digest> named = new ArrayList<>();
    for (JsonObject layer : json.objects("layers")) {
      named.add(Digest.parse(layer.string("digest")));
    }
    Digest config = Digest.parse(json.object("config").string("digest"));
    List<Digest> diffIds = diffIds(document(config, given));
    if (!diffIds.isEmpty() && diffIds.size() == named.size() && !isAttestation(json)) {
      take(new Main(config, digest, named, diffIds));
    }
    List<Digest> other = new ArrayList<>();
    for (Digest layer : named) {
      if (given.containsKey(layer)) {
        document(layer, given);
      } else {
        other.add(layer);
      }
    }
    addLayers(other);
  }

  /** A build's attestation has the form of an image, and nothing that could run. */
  private static boolean isAttestation(JsonObject manifest) throws IOException {
    for (JsonObject layer : manifest.objects("layers")) {
      String type = layer.stringOrNull("mediaType");
      if (type != null && type.contains("in-toto")) {
        return true;
      }
    }
    return false;
  }

  private void take(Main found) {
    if (main == null) {
      main = found;
    }
  }

  private void addLayers(List<Digest> more) throws IOException {
    layers.addAll(more);
    if (layers.size() > LAYERS_MAX || more.size() > LAYERS_MAX) {
      throw new IOException("it has more than " + LAYERS_MAX + " layers");
    }
  }

  private static List<Digest> diffIds(JsonObject config) throws IOException {
    JsonObject rootfs = config.objectOrNull("rootfs");
    List<String> texts = rootfs == null ? List.of() : rootfs.strings("diff_ids");
    if (texts.size() > LAYERS_MAX) {
      throw new IOException("it has more than " + LAYERS_MAX + " layers");
    }
    return texts.stream().map(Digest::parse).toList();
  }

  private JsonObject document(Digest digest, Map<Digest, byte[]> given) throws IOException {
    byte[] bytes = given.get(digest);
    if (bytes == null) {
      throw new IOException("its document " + digest + " is missing");
    }
    if (bytes.length > DOCUMENT_BYTES_MAX || !Digest.of(ByteBuffer.wrap(bytes)).equals(digest)) {
      throw new IOException("its document " + digest + " has other bytes");
    }
    documents.put(digest, bytes);
    if (documents.size() > DOCUMENTS_MAX
        || documents.values().stream().mapToLong(one -> one.length).sum() > DOCUMENTS_BYTES_MAX) {
      throw new IOException("its documents are too many or too long");
    }
    return JsonObject.parse(bytes);
  }
}
