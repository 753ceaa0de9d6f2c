package dev.regen.agent.registry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;

/** A file of users, made by htpasswd: each one's password is the name with {@code -secret}. */
public final class TestUsers {
  private static final String ANN =
      "ann:$2y$05$2JRIQTvCGiG.FhYUQ3pnOOEOrZG2BrxS.rHzswjaVpb6NP0xuQ3zy\n";
  private static final String BOB =
      "bob:$2y$05$G4wg6mbd5IZoCe3GwyJoQ.F8xkaa/PC85njAXlEMSjNKwBBdPjVAC\n";
  private static final String DAN =
      "dan:$2y$05$s.EyqDax6JWbon3x.fhQTOASbUKZFcLHAd7BNFsqsR.sfe0Q5Gury\n";

  /** Everybody pulls from public; of team Ann may everything, Bob pull, Dan pull and push. */
  private static final String RULES =
      """
      {"rights": [
        {"users": ["anonymous"], "repositories": ["public/**"], "may": ["pull"]},
        {"users": ["ann"], "repositories": ["**"], "may": ["pull", "push", "delete", "publish"]},
        {"users": ["bob"], "repositories": ["team/**"], "may": ["pull"]},
        {"users": ["dan"], "repositories": ["team/*"], "may": ["pull", "push"]},
        {"users": ["*"], "repositories": ["shared"], "may": ["pull"]}]}
      """;

  private TestUsers() {}

  public static Path file(Path directory) throws IOException {
    return Files.writeString(directory.resolve("htpasswd"), ANN + "# a comment\n\n" + BOB + DAN);
  }

  public static Path rules(Path directory) throws IOException {
    return Files.writeString(directory.resolve("rules.json"), RULES);
  }

  static void onlyAnn(Path file) throws IOException {
    change(file, ANN);
  }

  /** Writes a file so that it is seen to have changed. */
  static void change(Path file, String text) throws IOException {
    Instant before = Files.getLastModifiedTime(file).toInstant();
    Files.writeString(file, text);
    Files.setLastModifiedTime(file, FileTime.from(before.plusSeconds(2)));
  }
}
