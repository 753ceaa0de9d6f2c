package dev.regen.agent.host;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Regen's own files on a host. Each version has a directory named by its content; which one is used
 * stands in {@code runtime.conf} alone, so that one rename changes over, and what still runs from
 * the version before finds all of its classes.
 */
final class Program {
  private static final int VERSION_DIGITS = 12;

  private final Disk disk;
  private final Installation places;

  Program(Disk disk, Installation places) {
    this.disk = disk;
    this.places = places;
  }

  /** The jars that this process runs from; refused where it runs from loose classes. */
  static List<Path> ownJars() throws IOException {
    List<Path> jars = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path", "").split(":", -1)) {
      Path jar = Path.of(entry).toAbsolutePath().normalize();
      if (!entry.endsWith(".jar") || !Files.isRegularFile(jar)) {
        throw new RegenException.Refused(
            "'"
                + entry
                + "' on the class path is no jar; build with './mvnw package' and install from that");
      }
      jars.add(jar);
    }
    return jars;
  }

  /**
   * Puts the jars into the directory of their version; there already, they stay.
   *
   * @return the jars where they are now, in the same order
   */
  List<Path> place(List<Path> jars) throws IOException {
    Path directory = places.versions().resolve(version(jars));
    List<Path> placed = new ArrayList<>();
    for (Path jar : jars) {
      placed.add(directory.resolve(jar.getFileName()));
    }
    if (Files.isDirectory(directory)) {
      return placed;
    }
    makeDirectory(places.versions());
    Path unfinished = places.versions().resolve(Records.UNFINISHED + UUID.randomUUID());
    makeDirectory(unfinished);
    for (Path jar : jars) {
      Path copy = unfinished.resolve(jar.getFileName());
      Files.copy(jar, copy, StandardCopyOption.COPY_ATTRIBUTES);
      Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-r--r--"));
      disk.force(copy);
    }
    disk.forceDirectory(unfinished);
    disk.rename(unfinished, directory);
    disk.forceDirectory(places.versions());
    return placed;
  }

  /** Writes the front and the launcher. */
  void placeScripts() throws IOException {
    makeDirectory(WholeFile.directoryOf(places.front()));
    replace(places.front(), script("/dev/regen/runtime/sh/regen-runtime"), "rwxr-xr-x");
    replace(places.launcher(), script("/dev/regen/agent/sh/regen"), "rwxr-xr-x");
  }

  /** Makes the command that is on the PATH; what else has that name is left alone. */
  void linkCommand() throws IOException {
    Path command = places.command();
    if (Files.isSymbolicLink(command)
        && Files.readSymbolicLink(command).equals(places.launcher())) {
      return;
    }
    if (Files.exists(command, LinkOption.NOFOLLOW_LINKS)) {
      throw new RegenException.Refused(command + " is there and is not ours; move it away");
    }
    Files.createDirectories(WholeFile.directoryOf(command));
    Files.createSymbolicLink(command, places.launcher());
  }

  void unlinkCommand() throws IOException {
    Path command = places.command();
    if (Files.isSymbolicLink(command)
        && Files.readSymbolicLink(command).equals(places.launcher())) {
      Files.delete(command);
    }
  }

  /** Writes shell assignments; from here on the front and the launcher go by them. */
  void configure(Map<String, String> assignments) throws IOException {
    StringBuilder text = new StringBuilder("# Written by 'regen install'; it writes this anew.\n");
    assignments.forEach((name, value) ->
        text.append(name).append("='").append(value.replace("'", "'\\''")).append("'\n"));
    replace(places.configuration(), text.toString().getBytes(StandardCharsets.UTF_8), "rw-r--r--");
  }

  /** Removes the versions that are neither {@code current} nor {@code before}. */
  void removeOthers(Path current, @Nullable Path before) throws IOException {
    try (DirectoryStream<Path> versions = Files.newDirectoryStream(places.versions())) {
      for (Path version : versions) {
        if (!version.equals(current) && !version.equals(before)) {
          TreeRemoval.remove(version);
        }
      }
    }
  }

  /** The value of an assignment in the configuration that is in use, or null. */
  @Nullable String configured(String name) throws IOException {
    if (!Files.isRegularFile(places.configuration())) {
      return null;
    }
    for (String line : Files.readAllLines(places.configuration())) {
      if (line.startsWith(name + "='") && line.endsWith("'")) {
        return line.substring(name.length() + 2, line.length() - 1).replace("'\\''", "'");
      }
    }
    return null;
  }

  /** Replaces a file of text or a script, whole and for good. */
  void replace(Path file, byte[] content, String permissions) throws IOException {
    if (Files.isRegularFile(file) && Arrays.equals(Files.readAllBytes(file), content)) {
      return;
    }
    WholeFile.replace(
        disk,
        file,
        content,
        unfinished ->
            Files.setPosixFilePermissions(
                unfinished, PosixFilePermissions.fromString(permissions)));
  }

  private static void makeDirectory(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static byte[] script(String name) throws IOException {
    try (InputStream in = Program.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("this build holds no " + name);
      }
      return in.readAllBytes();
    }
  }

  private static String version(List<Path> jars) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path jar : jars) {
        digest.update(jar.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        digest.update(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(jar)));
      }
      return HexFormat.of().formatHex(digest.digest()).substring(0, VERSION_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
