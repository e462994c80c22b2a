package org.tinkerbell.hook.agent;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import javax.net.ssl.HttpsURLConnection;

/**
 * Fetches a small document from the Tinkerbell host, within a bounded time whatever the other side does. No proxy is asked: the host is on
 * the machine's own network. No redirect is followed: what is fetched decides whom this machine trusts, so it comes from the named host.
 * With https the host must prove itself by a certificate of the system's authorities.
 */
public final class BoundedFetch {
    private static final int MOST = 1 << 20;

    private BoundedFetch() {
    }

    /**
     * A server's answer.
     *
     * @param status status of HTTP
     * @param body the body, empty unless the status is 200
     */
    public record Answer(int status, byte[] body) {
    }

    /**
     * Fetches.
     *
     * @param uri what
     * @param millis how long everything may take together, looking up the name included
     * @return the answer
     * @throws IOException if there is none in that time, or it is larger than 1 MB
     * @throws InterruptedException if the thread shall end
     */
    public static Answer get(URI uri, long millis) throws IOException, InterruptedException {
        Request request = new Request(uri, (int) millis);
        // A timeout of a read starts over with each byte, and that of a name's look-up cannot be set: a thread can be left behind.
        Thread thread = new Thread(null, request, "fetch");
        thread.setDaemon(true);
        thread.start();
        try {
            thread.join(millis);
        } finally {
            request.abandon();
        }
        return request.answer();
    }

    private static final class Request implements Runnable {
        private final URI uri;
        private final int millis;
        private HttpURLConnection connection;
        private Answer answer;
        private IOException failure;
        private boolean over;

        Request(URI uri, int millis) {
            this.uri = uri;
            this.millis = millis;
        }

        @Override
        public void run() {
            try {
                Answer got = fetch();
                synchronized (this) {
                    answer = got;
                }
            } catch (IOException e) {
                synchronized (this) {
                    failure = e;
                }
            }
        }

        private Answer fetch() throws IOException {
            HttpURLConnection http = (HttpURLConnection) uri.toURL().openConnection(Proxy.NO_PROXY);
            synchronized (this) {
                connection = http;
            }
            if (http instanceof HttpsURLConnection https) {
                https.setSSLSocketFactory(Trust.sockets());
            }
            http.setConnectTimeout(millis);
            http.setReadTimeout(millis);
            http.setInstanceFollowRedirects(false);
            http.setUseCaches(false);
            http.setRequestProperty("User-Agent", "hook");
            http.setRequestProperty("Connection", "close");
            int status = http.getResponseCode();
            if (status != HttpURLConnection.HTTP_OK) {
                return new Answer(status, new byte[0]);
            }
            try (InputStream in = http.getInputStream()) {
                byte[] body = in.readNBytes(MOST + 1);
                if (body.length > MOST) {
                    throw new IOException("the answer is larger than 1 MB");
                }
                return new Answer(status, body);
            }
        }

        synchronized void abandon() {
            over = answer == null && failure == null;
            if (over && connection != null) {
                connection.disconnect();
            }
        }

        synchronized Answer answer() throws IOException {
            if (over) {
                throw new IOException("no whole answer within " + millis / 1000 + " s");
            }
            if (failure != null) {
                throw failure;
            }
            return answer;
        }
    }
}
