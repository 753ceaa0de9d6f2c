package dev.regen.runtime.os;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The native half of JNA as a file. Without it every process unpacks it from its jar, and asks
 * {@code ldconfig} where libraries are, which takes a hook without an agent some 70 ms.
 */
public final class NativeLibrary {
  /** The name that JNA looks for. */
  public static final String FILE = "libjnidispatch.so";

  private NativeLibrary() {}

  /** What is to stand in the file; null if JNA has none for this machine. */
  public static byte @Nullable [] content() throws IOException {
    String resource = "/com/sun/jna/" + Platform.RESOURCE_PREFIX + "/" + FILE;
    try (InputStream in = Native.class.getResourceAsStream(resource)) {
      return in == null ? null : in.readAllBytes();
    }
  }

  /**
   * What tells a JVM that the file is in {@code directory}; one that does not fit is passed over.
   */
  public static List<String> options(Path directory) {
    return List.of(
        "-Djna.boot.library.path=" + directory, "-Djna.platform.library.path=" + directory);
  }
}
