package dev.regen.snapshot.care;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.image.ImageTag;
import dev.regen.snapshot.image.RemoteImages;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.SnapshotsOnImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Removes images from a store: first what is said of one, from when on nobody can pull it, then its
 * names, then what is said of layers that no image has. The chunks of these go with a {@link
 * StoreCollection}. Interrupted anywhere and called again, it does the rest.
 */
public final class ImageRemoval {
  private static final Pattern ID = Pattern.compile("(?:sha256:)?([0-9a-f]{12,64})");

  private final RemoteStore store;
  private final RemoteImages images;
  private final SnapshotsOnImage snapshots;

  public ImageRemoval(RemoteStore store) {
    this.store = store;
    this.images = new RemoteImages(store);
    this.snapshots = new SnapshotsOnImage(store);
  }

  /**
   * What was done.
   *
   * @param removed names that it had, sorted
   * @param left names that it still has, sorted; it is there as long as it has one
   * @param layers that are gone
   * @param layersKept whether layers may stay that no image has, until the next collection
   */
  public record Result(
      Digest id, List<ImageTag> removed, List<ImageTag> left, int layers, boolean layersKept) {
    public Result {
      removed = List.copyOf(removed);
      left = List.copyOf(left);
    }
  }

  /**
   * Removes an image's name, and the image if it has no other; by its id, the image with all its
   * names.
   *
   * @param address a name, or an id, or its beginning
   * @throws RegenException.NotFound if the store has no such image
   * @throws RegenException.Refused if it is uploading, a snapshot lies on it or may do so, or
   *     several ids begin so; nothing has changed then
   * @throws IOException if a server does not answer: one that comes back would have it still
   */
  public Result remove(String address) throws IOException {
    store.requireAll();
    Map<ImageTag, Digest> tags = images.tags();
    Optional<ImageTag> named = ImageTag.parse(address).filter(tags::containsKey);
    Digest tagged = named.map(tags::get).orElse(null);
    Digest id = tagged == null ? idOf(address) : tagged;
    List<ImageTag> removed = new ArrayList<>();
    List<ImageTag> left = new ArrayList<>();
    for (ImageTag tag : tags.keySet()) {
      if (tags.get(tag).equals(id)) {
        (named.isEmpty() || named.get().equals(tag) ? removed : left).add(tag);
      }
    }
    removed.sort(Comparator.comparing(ImageTag::toString));
    left.sort(Comparator.comparing(ImageTag::toString));
    requireNotUploading(address, id, removed);
    UnnamedLayers.Result layers = new UnnamedLayers.Result(0, false);
    if (left.isEmpty()) {
      removeImage(address, id);
    }
    for (ImageTag tag : removed) {
      delete(() -> images.records(tag));
    }
    if (left.isEmpty()) {
      layers = new UnnamedLayers(store).remove();
    }
    return new Result(id, removed, left, layers.removed(), layers.kept());
  }

  private Digest idOf(String address) throws IOException {
    Matcher matcher = ID.matcher(address);
    List<Digest> ids =
        matcher.matches()
            ? images.images().stream().filter(id -> id.hex().startsWith(matcher.group(1))).toList()
            : List.of();
    // Which says why there is none, or none that could be meant.
    return ids.size() == 1 ? ids.getFirst() : images.find(address).id();
  }

  private void requireNotUploading(String address, Digest id, List<ImageTag> names)
      throws IOException {
    for (RemoteImages.Upload upload : images.uploads()) {
      boolean named = names.stream().anyMatch(tag -> tag.toString().equals(upload.name()));
      if (named || upload.id().equals(id)) {
        throw new RegenException.Refused(
            "image '"
                + address
                + "' is uploading: it can be removed when that is done; what was given up is"
                + " removed by 'regen storage collect' a day later");
      }
    }
  }

  private void removeImage(String address, Digest id) throws IOException {
    Map<String, byte[]> contents = images.contents(images.records(id));
    if (contents.isEmpty()) {
      return;
    }
    requireUnused(address, id);
    delete(() -> images.records(id));
    try {
      // Of a snapshot that came meanwhile whoever pushed it had found the image.
      requireUnused(address, id);
    } catch (IOException e) {
      for (Map.Entry<String, byte[]> record : contents.entrySet()) {
        store.replaceRecord(record.getKey(), record.getValue(), null);
      }
      throw e;
    }
  }

  private void requireUnused(String address, Digest id) throws IOException {
    Optional<SnapshotsOnImage.Found> snapshot = snapshots.any(id);
    if (snapshot.isPresent()) {
      throw new RegenException.Refused(
          "image '"
              + address
              + "' stays: "
              + snapshot.get()
              + " lies on it. 'regen rm --store' of what lies on it comes first");
    }
  }

  private interface Names {
    List<String> list() throws IOException;
  }

  /** Older ones first, so that none counts again that was replaced. */
  private void delete(Names names) throws IOException {
    // Twice: of copies on several servers one may be made again just now.
    for (int i = 0; i < 2; i++) {
      for (String record : names.list()) {
        store.deleteRecord(record);
      }
    }
  }
}
