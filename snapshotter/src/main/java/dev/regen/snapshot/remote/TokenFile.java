package dev.regen.snapshot.remote;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;

/** A file that holds a token, for either end of a connection. */
public final class TokenFile {
  private static final int BYTES_MAX = 1024;

  private TokenFile() {}

  /**
   * The token in a file: its content without white space around it.
   *
   * @throws RegenException.BadInput if it is shorter than 16 characters or longer than 1,024, has
   *     other than printable ASCII characters, or everybody may read the file
   */
  public static String read(Path file) throws IOException {
    if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
      throw new RegenException.BadInput(
          "everybody may read the token in " + file + ": chmod 600 " + file);
    }
    try (InputStream in = Files.newInputStream(file)) {
      String token = new String(in.readNBytes(BYTES_MAX + 1), StandardCharsets.ISO_8859_1).strip();
      if (!token.matches("[!-~]{16,1024}")) {
        throw new RegenException.BadInput(
            file + " holds no token: 16 to 1024 printable ASCII characters");
      }
      return token;
    }
  }
}
