package dev.regen.runtime.docker;

import com.github.dockerjava.transport.DockerHttpClient.Response;
import java.io.FilterInputStream;
import java.io.IOException;

/** The body of an answer; closing it ends the answer, also while another thread reads. */
final class AnswerStream extends FilterInputStream {
  private final Response response;

  AnswerStream(Response response) {
    super(response.getBody());
    this.response = response;
  }

  @Override
  public void close() throws IOException {
    try {
      response.close();
    } catch (RuntimeException e) {
      throw new IOException("the engine's answer could not be ended", e);
    }
  }
}
