package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What a registry answered. Not compared. */
@SuppressWarnings("ArrayRecordComponent")
record Answer(String request, int status, HttpHeaders headers, byte[] body) {
  /** A header, empty if it is not there. */
  String header(String name) {
    return headers.firstValue(name).orElse("");
  }

  String location() {
    assertThat(header("Location")).as("Location of %s", this).isNotEmpty();
    return header("Location");
  }

  String digest() {
    return header("Docker-Content-Digest");
  }

  JsonObject json() throws IOException {
    return JsonObject.parse(body);
  }

  Answer is(int expected) {
    assertThat(status).as("%s", this).isEqualTo(expected);
    return this;
  }

  /** That it is a failure in the form of the spec, its first error with this code. */
  Answer is(int expected, String code) throws IOException {
    is(expected);
    assertThat(header("Content-Type")).as("%s", this).startsWith("application/json");
    List<JsonObject> errors = json().objects("errors");
    assertThat(errors).as("%s", this).isNotEmpty();
    assertThat(errors.getFirst().string("code")).as("%s", this).isEqualTo(code);
    assertThat(errors.getFirst().string("message")).as("%s", this).isNotEmpty();
    return this;
  }

  @Override
  public String toString() {
    String text = new String(body, StandardCharsets.UTF_8);
    return request
        + " -> "
        + status
        + " "
        + headers.map()
        + " "
        + text.substring(0, Math.min(500, text.length()));
  }
}
