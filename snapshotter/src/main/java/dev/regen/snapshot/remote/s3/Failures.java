package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What the SDK's failures are to a user. */
final class Failures {
  private static final int SAID_MAX = 500;

  private final BucketUrl url;

  Failures(BucketUrl url) {
    this.url = url;
  }

  /** The condition of a request did not hold, or the server could not decide it. */
  static final class Lost extends IOException {
    private static final long serialVersionUID = 1;

    Lost(String message) {
      super(message);
    }
  }

  /** The server answered that it failed. */
  static class ServerFailed extends IOException {
    private static final long serialVersionUID = 1;

    ServerFailed(String message) {
      super(message);
    }
  }

  /** As above: it has too much to do. */
  static final class Overloaded extends ServerFailed {
    private static final long serialVersionUID = 1;

    Overloaded(String message) {
      super(message);
    }
  }

  IOException of(SdkException failure) {
    IOException told =
        failure instanceof S3Exception answer ? answered(answer) : notAnswered(failure);
    told.initCause(failure);
    return told;
  }

  private IOException answered(S3Exception failure) {
    String code = failure.awsErrorDetails() == null ? "" : failure.awsErrorDetails().errorCode();
    String said = url.words() + " answers " + failure.statusCode() + " " + code;
    return switch (code == null ? "" : code) {
      case "NoSuchBucket" ->
          new RegenException.BadInput(
              "there is no bucket '" + url.bucket() + "'" + place() + ": make it, or name another");
      case "NoSuchKey" -> new RegenException.NotFound(said);
      case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken" ->
          new RegenException.Refused(
              said + ": the agent's AWS credentials are not those of a user there");
      case "RequestTimeTooSkewed" ->
          new RegenException.Refused(
              said + ": the clocks of this host and of the store are too far apart; set them");
      case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint" ->
          new RegenException.BadInput(
              said + ": the bucket is in another region; say which with region=NAME");
      default -> byStatus(failure.statusCode(), said, failure);
    };
  }

  private IOException byStatus(int status, String said, S3Exception failure) {
    return switch (status) {
      case 404 -> new RegenException.NotFound(said);
      case 401, 403 ->
          new RegenException.Refused(
              said
                  + ": the agent's AWS credentials do not allow that; it has to list the bucket, and"
                  + " to get, put and delete objects under the prefix");
      case 409, 412 -> new Lost(said);
      case 507 -> new RegenException.Refused(said + ": it is full");
      case 429, 502, 503, 504 -> new Overloaded(said + ": " + words(failure));
      default -> new ServerFailed(said + ": " + words(failure));
    };
  }

  private IOException notAnswered(SdkException failure) {
    String said = String.valueOf(failure.getMessage());
    if (said.contains("Unable to load credentials")) {
      return new RegenException.Refused(
          "no AWS credentials for "
              + url.words()
              + ": put them into ~/.aws/credentials of the agent's user, or AWS_ACCESS_KEY_ID and"
              + " AWS_SECRET_ACCESS_KEY into the agent's environment, or give this machine a role");
    }
    for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
      Optional<String> network = network(cause);
      if (network.isPresent()) {
        return new IOException(url.words() + " cannot be reached: " + network.get());
      }
    }
    return new IOException(url.words() + ": " + words(failure));
  }

  private static Optional<String> network(Throwable cause) {
    return switch (cause) {
      case UnknownHostException e -> Optional.of("nobody knows the host " + e.getMessage());
      case ConnectException e -> Optional.of(String.valueOf(e.getMessage()));
      case SocketTimeoutException e -> Optional.of(String.valueOf(e.getMessage()));
      default -> Optional.empty();
    };
  }

  private String place() {
    return url.endpoint() == null ? "" : " at " + url.endpoint();
  }

  private static String words(SdkException failure) {
    @Nullable String message = failure.getMessage();
    String said = String.valueOf(message).replaceAll("\\p{Cntrl}", " ");
    return said.substring(0, Math.min(said.length(), SAID_MAX));
  }
}
