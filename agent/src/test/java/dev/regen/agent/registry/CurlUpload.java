package dev.regen.agent.registry;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A blob that {@code curl} uploads, piece by piece.
 *
 * @param location of the upload
 */
record CurlUpload(Path directory, String location) {
  /** Begins one. */
  static CurlUpload begin(Path directory, String host, String repository)
      throws IOException, InterruptedException {
    String answer = curl("-X", "POST", "http://" + host + "/v2/" + repository + "/blobs/uploads/");
    return new CurlUpload(directory, "http://" + host + header(answer, "Location"));
  }

  /** How many bytes the registry has. A range of 0-0 says none: nobody sends one byte here. */
  long stored() throws IOException, InterruptedException {
    String range = header(curl(location), "Range");
    long last = Long.parseLong(range.substring(range.indexOf('-') + 1));
    return last == 0 ? 0 : last + 1;
  }

  /** Sends some bytes of a file, which belong where they stand in it; returns the answer. */
  String patch(Path file, long from, long length) throws IOException, InterruptedException {
    return Program.plain().run(words(file, from, length, "")).ok();
  }

  /** As {@link #patch}, so many bytes in a second, for somebody who ends the process. */
  Process patchSlowly(Path file, long from, long length, String perSecond) throws IOException {
    return Program.plain()
        .start(directory.resolve("slow.txt"), words(file, from, length, perSecond));
  }

  /** Ends the upload; returns the answer. */
  String finish(String digest) throws IOException, InterruptedException {
    return curl("-X", "PUT", location + "?digest=" + digest);
  }

  private String[] words(Path file, long from, long length, String perSecond) {
    String limit = perSecond.isEmpty() ? "" : " --limit-rate " + perSecond;
    String script =
        "tail -c +$2 $1 | head -c $3 | curl -sSi -X PATCH -T -"
            + limit
            + " -H \"Content-Range: $(($2 - 1))-$(($2 + $3 - 2))\""
            + " -H 'Content-Type: application/octet-stream' $0";
    return new String[] {
      "sh", "-c", script, location, file.toString(), Long.toString(from + 1), Long.toString(length)
    };
  }

  static String curl(String... words) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("curl", "-sSi"));
    all.addAll(List.of(words));
    return Program.plain().run(all.toArray(String[]::new)).ok();
  }

  private static String header(String answer, String name) {
    return answer
        .lines()
        .filter(line -> line.startsWith(name + ": "))
        .map(line -> line.substring(name.length() + 2).strip())
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + name + " in\n" + answer));
  }
}
