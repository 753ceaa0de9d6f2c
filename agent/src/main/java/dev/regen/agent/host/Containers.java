package dev.regen.agent.host;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The containers that an engine would run with Regen's runtime, read from the engine's records. */
final class Containers {
  private static final long RECORD_MAX_BYTES = 16 << 20;

  private Containers() {}

  /**
   * Their names, or ids where a record is unreadable in part.
   *
   * @param dataRoot where the engine keeps its data
   */
  static List<String> withRuntime(Path dataRoot, String runtime) throws IOException {
    List<String> names = new ArrayList<>();
    Path all = dataRoot.resolve("containers");
    if (!Files.isDirectory(all)) {
      return names;
    }
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(all)) {
      for (Path directory : directories) {
        try {
          if (runtime.equals(object(directory, "hostconfig.json").stringOrNull("Runtime"))) {
            String name = object(directory, "config.v2.json").string("Name");
            names.add(name.startsWith("/") ? name.substring(1) : name);
          }
        } catch (NoSuchFileException e) {
          // The engine is removing it.
        }
      }
    }
    names.sort(null);
    return names;
  }

  private static JsonObject object(Path directory, String name) throws IOException {
    Path file = directory.resolve(name);
    if (Files.size(file) > RECORD_MAX_BYTES) {
      throw new IOException(file + " is longer than " + RECORD_MAX_BYTES + " bytes");
    }
    return JsonObject.parse(Files.readAllBytes(file));
  }
}
