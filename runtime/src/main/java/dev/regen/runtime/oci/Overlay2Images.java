package dev.regen.runtime.oci;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the layers of an image lie, as Docker's overlay2 store has it on disk; read there because
 * no hook may call the engine.
 */
final class Overlay2Images {
  private static final int LAYERS_MAX = 500;
  private static final long CONFIG_MAX_BYTES = 4 << 20;
  private static final long CACHE_ID_MAX_BYTES = 256;

  private Overlay2Images() {}

  /**
   * The layers of an image, the topmost first.
   *
   * @return null if no engine here keeps the image in such a store
   */
  static @Nullable List<Path> of(List<Path> dataRoots, String imageId) throws IOException {
    if (!imageId.matches("sha256:[0-9a-f]{64}")) {
      return null;
    }
    for (Path root : dataRoots) {
      Path images = root.resolve("image/overlay2");
      Path config = images.resolve("imagedb/content/sha256").resolve(imageId.substring(7));
      if (Files.isRegularFile(config)) {
        return layers(root, images, config);
      }
    }
    return null;
  }

  private static @Nullable List<Path> layers(Path root, Path images, Path config)
      throws IOException {
    List<String> diffs =
        JsonObject.parse(new LocalDisk().read(config, CONFIG_MAX_BYTES))
            .object("rootfs")
            .strings("diff_ids");
    if (diffs.size() > LAYERS_MAX) {
      return null;
    }
    List<Path> layers = new ArrayList<>();
    String chain = "";
    for (String diff : diffs) {
      chain = chain.isEmpty() ? diff : "sha256:" + sha256(chain + " " + diff);
      if (!chain.matches("sha256:[0-9a-f]{64}")) {
        return null;
      }
      Path cache = images.resolve("layerdb/sha256").resolve(chain.substring(7)).resolve("cache-id");
      try {
        byte[] id = new LocalDisk().read(cache, CACHE_ID_MAX_BYTES);
        String name = new String(id, StandardCharsets.US_ASCII).strip();
        if (!name.matches("[0-9a-z]{1,128}")) {
          return null;
        }
        layers.addFirst(root.resolve("overlay2").resolve(name).resolve("diff"));
      } catch (NoSuchFileException e) {
        return null;
      }
    }
    return layers.stream().allMatch(Files::isDirectory) ? layers : null;
  }

  private static String sha256(String text) {
    try {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
