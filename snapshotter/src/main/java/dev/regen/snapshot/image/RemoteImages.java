package dev.regen.snapshot.image;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The images of a store.
 *
 * <p>{@code layers/sha256/HEX/TAG} says which chunks a {@link StoredLayer} is made of, and is
 * written when all of them are there: layers that several images have are stored once. {@code
 * images/sha256/HEX/TAG} is a {@link StoredImage} and written when all of its layers are there;
 * while it is being pushed {@code images/upload/sha256/HEX} names its layers, as far as they are
 * known. {@code tags/HEX/REVISION-TAG} says which image a person's name (HEX is its digest) means,
 * the highest revision counting. {@code layers/lost/sha256/HEX} names chunks of a layer that could
 * not be had, or had other bytes: the next push sends them again. TAG is the beginning of the
 * record's own digest: no name is used for two contents, so that copies of a record never differ.
 *
 * <p>A chunk is needed as long as a layer's record names it ({@link #chunks}); a layer's record is
 * as long as an image or an upload does ({@link #layersInUse}), and for a while after it was
 * written.
 */
public final class RemoteImages {
  private static final String LAYERS = "layers/sha256/";
  private static final String IMAGES = "images/sha256/";
  private static final String UPLOADS = "images/upload/sha256/";
  private static final String TAGS = "tags/";
  private static final String LOST = "layers/lost/sha256/";
  private static final int VERSION = 1;
  private static final int REVISIONS_MAX = 999_999;
  private static final int LOST_MAX = 1_000;

  /** Of all layers together; others are named again by the next who does not get them. */
  private static final int LOST_IN_ALL_MAX = 20_000;

  /** Of uploads, names and what is lost; whoever reads a record may have little memory. */
  private static final int SMALL_BYTES_MAX = 256 << 10;

  /** Of a layer, some 250,000 chunks; of an image, its documents. */
  private static final int LARGE_BYTES_MAX = 24 << 20;

  private static final Pattern RECORD = Pattern.compile("([0-9a-f]{64})/([0-9a-f]{16})");
  private static final Pattern LAYER = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern REVISION = Pattern.compile("[0-9a-f]{64}/([0-9]{6})-[0-9a-f]{16}");
  private static final Pattern ID = Pattern.compile("(?:sha256:)?([0-9a-f]{12,64})");

  /** All names above; who deletes what no record needs knows those alone. */
  private static final Pattern OURS =
      Pattern.compile(
          "(layers|images)/sha256/[0-9a-f]{64}/[0-9a-f]{16}"
              + "|(images/upload|layers/lost)/sha256/[0-9a-f]{64}"
              + "|tags/[0-9a-f]{64}/[0-9]{6}-[0-9a-f]{16}");

  private final RemoteStore store;
  private final InstantSource clock;

  public RemoteImages(RemoteStore store) {
    this(store, InstantSource.system());
  }

  RemoteImages(RemoteStore store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  /** Whether a record is one of those that are described above. */
  public static boolean isOurs(String record) {
    return OURS.matcher(record).matches();
  }

  /**
   * An image on its way.
   *
   * @param name what it will be called, empty for nothing
   * @param layers as far as they are known
   */
  public record Upload(Digest id, String name, List<Digest> layers) {
    public Upload {
      layers = List.copyOf(layers);
    }

    private byte[] bytes(Instant now) {
      return SealedRecord.seal(
          VERSION,
          new JsonObject()
              .with("id", id.hex())
              .with("name", name)
              .with("renewedAt", now)
              .with("layers", layers.stream().map(Digest::hex).toList()));
    }
  }

  /** An image, if all of it is there. */
  public Optional<StoredImage> image(Digest id) throws IOException {
    return firstWhole(IMAGES + id.hex() + "/", (name, bytes) -> StoredImage.parse(name, id, bytes));
  }

  /** A layer, if all of it is there. */
  public Optional<StoredLayer> layer(Digest digest) throws IOException {
    return firstWhole(
        LAYERS + digest.hex() + "/", (name, bytes) -> StoredLayer.parse(name, digest, bytes));
  }

  /**
   * The image that a person means.
   *
   * @param address a name, or an id, or its beginning
   * @throws RegenException.NotFound if the store has no such image
   * @throws RegenException.Refused if it is still uploading, or several ids begin so
   */
  public StoredImage find(String address) throws IOException {
    Optional<ImageTag> tag = ImageTag.parse(address);
    Digest tagged = tag.isPresent() ? tags().get(tag.get()) : null;
    Optional<StoredImage> image = tagged == null ? Optional.empty() : image(tagged);
    if (image.isPresent()) {
      return image.get();
    }
    Matcher id = ID.matcher(address);
    if (id.matches()) {
      Optional<StoredImage> byId = beginningWith(id.group(1));
      if (byId.isPresent()) {
        return byId.get();
      }
    }
    for (Upload upload : uploads()) {
      boolean named = tag.isPresent() && upload.name().equals(tag.get().toString());
      if (named || (id.matches() && upload.id().hex().startsWith(id.group(1)))) {
        throw new RegenException.Refused(
            "image '"
                + address
                + "' is uploading: it can be pulled when all of it is there. If that was"
                + " interrupted, push it again");
      }
    }
    throw new RegenException.NotFound("the store has no image '" + address + "'");
  }

  private Optional<StoredImage> beginningWith(String hex) throws IOException {
    Set<Digest> ids = new TreeSet<>(Comparator.comparing(Digest::hex));
    for (String record : store.records(IMAGES + hex)) {
      Matcher matcher = RECORD.matcher(record.substring(IMAGES.length()));
      if (matcher.matches()) {
        ids.add(new Digest(matcher.group(1)));
      }
    }
    if (ids.size() > 1) {
      throw new RegenException.Refused("the ids of several images begin with " + hex);
    }
    return ids.isEmpty() ? Optional.empty() : image(ids.iterator().next());
  }

  /** The ids of the images that are complete. */
  public List<Digest> images() throws IOException {
    return named(IMAGES);
  }

  /** What is being pushed, or was given up; a record that cannot be read is passed over. */
  public List<Upload> uploads() throws IOException {
    List<Upload> uploads = new ArrayList<>();
    for (String record : store.records(UPLOADS)) {
      String hex = record.substring(UPLOADS.length());
      Optional<byte[]> bytes = LAYER.matcher(hex).matches() ? small(record) : Optional.empty();
      if (bytes.isPresent()) {
        try {
          uploads.add(upload(record, new Digest(hex), bytes.get()));
        } catch (RegenException.Damaged e) {
          uploads.add(new Upload(new Digest(hex), "", List.of()));
        }
      }
    }
    return uploads;
  }

  private static Upload upload(String name, Digest id, byte[] bytes) throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      return new Upload(
          id, json.string("name"), json.strings("layers").stream().map(Digest::new).toList());
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.Damaged("the store's record " + name + " is damaged");
    }
  }

  /** What names mean; one whose record cannot be read is passed over. */
  public Map<ImageTag, Digest> tags() throws IOException {
    Map<String, String> newest = new TreeMap<>();
    for (String record : store.records(TAGS)) {
      if (REVISION.matcher(record.substring(TAGS.length())).matches()) {
        // Sorted, so the highest revision comes last.
        newest.put(record.substring(0, TAGS.length() + 64), record);
      }
    }
    Map<ImageTag, Digest> tags = new HashMap<>();
    for (String record : newest.values()) {
      Optional<byte[]> bytes = small(record);
      if (bytes.isPresent()) {
        try {
          JsonObject json = SealedRecord.open(Path.of(record), bytes.get(), VERSION);
          ImageTag tag = ImageTag.parse(json.string("name")).orElseThrow();
          if (record.startsWith(prefix(tag))) {
            tags.put(tag, new Digest(json.string("id")));
          }
        } catch (IOException | IllegalArgumentException | NoSuchElementException e) {
          // Nobody can tell what it named.
        }
      }
    }
    return tags;
  }

  /** Says that an image is on its way, or that it still is. */
  void begin(Upload upload) throws IOException {
    store.replaceRecord(UPLOADS + upload.id().hex(), upload.bytes(clock.instant()), null);
  }

  /**
   * The records of images that are being pushed, or were given up, and when whoever pushes last
   * said so, by his clock; the beginning of time if that cannot be read.
   */
  public Map<String, Instant> uploadsRenewed() throws IOException {
    Map<String, Instant> renewed = new TreeMap<>();
    for (String record : store.records(UPLOADS)) {
      Optional<byte[]> bytes = small(record);
      if (bytes.isPresent()) {
        renewed.put(record, renewedAt(record, bytes.get()));
      }
    }
    return renewed;
  }

  private static Instant renewedAt(String record, byte[] bytes) throws RegenException.Refused {
    try {
      JsonObject json = SealedRecord.open(Path.of(record), bytes, VERSION);
      return json.has("renewedAt") ? json.instant("renewedAt") : Instant.EPOCH;
    } catch (RegenException.Refused e) {
      throw e;
    } catch (IOException e) {
      return Instant.EPOCH;
    }
  }

  /** Says that all of a layer is there. */
  void complete(StoredLayer layer) throws IOException {
    byte[] bytes = checked(layer.bytes());
    store.replaceRecord(LAYERS + layer.digest().hex() + "/" + own(bytes), bytes, null);
  }

  /** Says that all of an image is there. */
  void complete(StoredImage image) throws IOException {
    byte[] bytes = checked(image.bytes());
    store.replaceRecord(IMAGES + image.id().hex() + "/" + own(bytes), bytes, null);
    store.deleteRecord(UPLOADS + image.id().hex());
  }

  /** Of layers that somebody did not get from this store whole: what he did not get. */
  Map<Digest, Set<Digest>> lost() throws IOException {
    Map<Digest, Set<Digest>> lost = new HashMap<>();
    int left = LOST_IN_ALL_MAX;
    for (String record : store.records(LOST)) {
      if (left <= 0) {
        break;
      }
      String hex = record.substring(LOST.length());
      Optional<byte[]> bytes = LAYER.matcher(hex).matches() ? small(record) : Optional.empty();
      if (bytes.isPresent()) {
        try {
          JsonObject json = SealedRecord.open(Path.of(record), bytes.get(), VERSION);
          Set<Digest> chunks = new HashSet<>();
          json.strings("chunks").stream().limit(LOST_MAX).map(Digest::new).forEach(chunks::add);
          left -= chunks.size() + 1;
          lost.put(new Digest(hex), chunks);
        } catch (IOException | IllegalArgumentException e) {
          store.deleteRecord(record); // Nobody can tell what it named.
        }
      }
    }
    return lost;
  }

  /** Says that these chunks of a layer are to be sent again. */
  void tellLost(Digest layer, Set<Digest> chunks) throws IOException {
    JsonObject json =
        new JsonObject().with("chunks", chunks.stream().limit(LOST_MAX).map(Digest::hex).toList());
    store.replaceRecord(LOST + layer.hex(), SealedRecord.seal(VERSION, json), null);
  }

  /** The chunks of a layer that were lost were sent again, or nobody needs them any more. */
  public void found(Digest layer) throws IOException {
    store.deleteRecord(LOST + layer.hex());
  }

  /** From now on {@code tag} means the image {@code id}. */
  void tag(ImageTag tag, Digest id) throws IOException {
    byte[] bytes =
        SealedRecord.seal(
            VERSION, new JsonObject().with("name", tag.toString()).with("id", id.hex()));
    List<String> before = store.records(prefix(tag));
    int revision = 0;
    for (String record : before) {
      Matcher known = REVISION.matcher(record.substring(TAGS.length()));
      revision = known.matches() ? Math.max(revision, Integer.parseInt(known.group(1))) : revision;
    }
    if (!before.isEmpty() && before.getLast().endsWith("-" + own(bytes))) {
      return;
    }
    if (revision >= REVISIONS_MAX) {
      throw new RegenException.Refused("image " + tag + " was pushed " + revision + " times");
    }
    store.replaceRecord(
        prefix(tag) + String.format("%06d-%s", revision + 1, own(bytes)), bytes, null);
    for (String record : before) {
      store.deleteRecord(record);
    }
  }

  /**
   * Names every chunk that a layer is made of; the same one may be named several times.
   *
   * @throws RegenException.Damaged if a layer's record cannot be read: nobody knows its chunks
   */
  public void chunks(Consumer<Digest> each) throws IOException {
    for (String record : store.records(LAYERS)) {
      Matcher matcher = RECORD.matcher(record.substring(LAYERS.length()));
      Optional<byte[]> bytes = matcher.matches() ? large(record) : Optional.empty();
      if (bytes.isPresent()) {
        StoredLayer.parse(record, new Digest(matcher.group(1)), bytes.get()).chunks().stream()
            .map(Chunk::digest)
            .forEach(each);
      }
    }
  }

  /**
   * Names every layer that an image or an upload has. The records of another are garbage, unless a
   * push has just written them.
   *
   * @throws RegenException.Damaged if an image's record cannot be read: nobody knows its layers
   */
  public void layersInUse(Consumer<Digest> each) throws IOException {
    for (Digest id : images()) {
      image(id)
          .orElseThrow(() -> new RegenException.Damaged("the store's image " + id + " is damaged"))
          .content()
          .layers()
          .forEach(each);
    }
    uploads().forEach(upload -> upload.layers().forEach(each));
  }

  /** The names of the records that say what an image is. */
  public List<String> records(Digest image) throws IOException {
    return store.records(IMAGES + image.hex() + "/");
  }

  /** The names of the records that say what a name means or meant, the oldest first. */
  public List<String> records(ImageTag tag) throws IOException {
    return store.records(prefix(tag));
  }

  /** The names of the records that say that any image is there, or on its way. */
  public List<String> imageRecords() throws IOException {
    return store.records("images/");
  }

  /** The names of the records that say what layers are made of. */
  public Map<Digest, List<String>> layerRecords() throws IOException {
    Map<Digest, List<String>> layers = new HashMap<>();
    for (String record : store.records(LAYERS)) {
      Matcher matcher = RECORD.matcher(record.substring(LAYERS.length()));
      if (matcher.matches()) {
        layers.computeIfAbsent(new Digest(matcher.group(1)), _ -> new ArrayList<>()).add(record);
      }
    }
    return layers;
  }

  /** What records of images and layers hold, those that are there; of one too long, nothing. */
  public Map<String, byte[]> contents(List<String> records) throws IOException {
    Map<String, byte[]> contents = new TreeMap<>();
    for (String record : records) {
      large(record).ifPresent(bytes -> contents.put(record, bytes));
    }
    return contents;
  }

  private List<Digest> named(String prefix) throws IOException {
    Set<String> digests = new TreeSet<>();
    for (String record : store.records(prefix)) {
      Matcher matcher = RECORD.matcher(record.substring(prefix.length()));
      if (matcher.matches()) {
        digests.add(matcher.group(1));
      }
    }
    return digests.stream().map(Digest::new).toList();
  }

  private interface Parser<T> {
    T parse(String name, byte[] bytes) throws RegenException;
  }

  private <T> Optional<T> firstWhole(String prefix, Parser<T> parser) throws IOException {
    for (String record : store.records(prefix)) {
      Optional<byte[]> bytes = large(record);
      if (bytes.isPresent()) {
        try {
          return Optional.of(parser.parse(record, bytes.get()));
        } catch (RegenException.Damaged e) {
          // Another one may be whole.
        }
      }
    }
    return Optional.empty();
  }

  private Optional<byte[]> small(String record) throws IOException {
    return atMost(record, SMALL_BYTES_MAX);
  }

  private Optional<byte[]> large(String record) throws IOException {
    return atMost(record, LARGE_BYTES_MAX);
  }

  /** A record that is too long is one that cannot be read. */
  private Optional<byte[]> atMost(String record, int limitBytes) throws IOException {
    try {
      return store.record(record, limitBytes);
    } catch (RegenException.Damaged e) {
      return Optional.of(new byte[0]);
    }
  }

  private static byte[] checked(byte[] record) throws RegenException {
    if (record.length > LARGE_BYTES_MAX) {
      throw new RegenException.Refused(
          "what there is to say of it takes more than " + LARGE_BYTES_MAX + " bytes");
    }
    return record;
  }

  private static String prefix(ImageTag tag) {
    byte[] name = tag.toString().getBytes(StandardCharsets.US_ASCII);
    return TAGS + Digest.of(ByteBuffer.wrap(name)).hex() + "/";
  }

  private static String own(byte[] record) {
    return Digest.of(ByteBuffer.wrap(record)).hex().substring(0, 16);
  }
}
