package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where the layers of images are on this host, {@code images/ID}: as the unions of their containers
 * showed them, since an engine with containerd's store does not tell. An engine gives no other
 * layer a path that it has used, so what is remembered is right or not there any more.
 */
public final class SeenImages {
  private static final Pattern ID = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final int VERSION = 1;
  private static final int FILE_MAX_BYTES = 1 << 20;

  private final Disk disk;
  private final Path directory;

  /** {@code home} is {@code /var/lib/regen}. */
  public SeenImages(Disk disk, Path home) {
    this.disk = disk;
    this.directory = home.resolve("images");
  }

  /** Costs one small read where it is known already. */
  void remember(String imageId, List<Path> lowers) throws IOException {
    if (!ID.matcher(imageId).matches()) {
      return;
    }
    JsonObject json =
        new JsonObject()
            .with("version", VERSION)
            .with("lowers", lowers.stream().map(Path::toString).toList());
    byte[] content = json.bytes();
    if (content.length <= FILE_MAX_BYTES && of(imageId).isEmpty()) {
      new Records(disk).makeDirectory(directory);
      new Records(disk).replace(file(imageId), content);
    }
  }

  /**
   * The layers of an image, the topmost first; empty if no container of it ran here or one of them
   * is gone. Docker's own layer on top, mount points for a container's hostname and the like, is
   * among them as long as that container is there.
   */
  public Optional<List<Path>> of(String imageId) throws IOException {
    if (!ID.matcher(imageId).matches()) {
      return Optional.empty();
    }
    try {
      JsonObject json = JsonObject.parse(disk.read(file(imageId), FILE_MAX_BYTES));
      List<Path> lowers = json.strings("lowers").stream().map(Path::of).toList();
      int first = lowers.size() > 1 && Fd.statIfThere(lowers.getFirst()) == null ? 1 : 0;
      List<Path> image = lowers.subList(first, lowers.size());
      boolean whole = json.number("version") == VERSION && allThere(image);
      return whole ? Optional.of(image) : Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** Forgets images whose layers are gone. */
  public void forgetRemoved() throws IOException {
    for (Path file : disk.list(directory)) {
      String hex = String.valueOf(file.getFileName());
      if (!hex.startsWith(Records.UNFINISHED) && of("sha256:" + hex).isEmpty()) {
        new Records(disk).remove(file);
      }
    }
  }

  private static boolean allThere(List<Path> lowers) throws IOException {
    for (Path lower : lowers) {
      if (Fd.statIfThere(lower) == null) {
        return false;
      }
    }
    return true;
  }

  private Path file(String imageId) {
    return directory.resolve(imageId.substring("sha256:".length()));
  }
}
